/** What the person at the keyboard can put right: printed without a stack. */
export class UsageError extends Error {}
