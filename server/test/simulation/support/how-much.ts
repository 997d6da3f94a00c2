/**
 * How much a simulation does: a slice in every run of the tests, all of it with `npm run prove`. One seed gives one run.
 */
export const isFull = process.env.PROOF === 'full'
export const seed = Number(process.env.SIMULATION_SEED ?? 20_261)
export const howMuch = (inEveryRun: number, inFull: number): number => (isFull ? inFull : inEveryRun)
