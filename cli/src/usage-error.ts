/** The command line itself cannot be followed: a file that is not there, a key that is not given. */
export class UsageError extends Error {}
