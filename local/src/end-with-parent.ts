// Loaded before a program that `npm start` runs: when `npm start` is gone, even by kill -9, the program stops by itself.
process.once('disconnect', () => {
  setTimeout(() => process.exit(1), 15_000).unref()
  process.kill(process.pid, 'SIGTERM')
})
process.channel?.unref()
