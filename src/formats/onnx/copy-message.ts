import Long from 'long';
import { unknownFields } from './proto.ts';

/** A shallow copy of a message, its unknown fields included. */
export function copyOf<T extends object>(message: T | undefined): T {
  const copy = {} as T;
  if (message === undefined) return copy;
  Object.assign(copy, message);
  const unknowns = unknownFields(message);
  if (unknowns.length > 0) Object.defineProperty(copy, '$unknowns', { value: unknowns, enumerable: false });
  return copy;
}

/** An empty string is written only where the file had the field before. */
export function setString<T extends object, K extends keyof T>(proto: T, key: K, value: string): void {
  if (value !== '' || Object.hasOwn(proto, key)) proto[key] = value as T[K];
}

/** As {@link setString}, for a 64-bit number. */
export function setNumber<T extends object, K extends keyof T>(proto: T, key: K, value: number): void {
  if (value !== 0 || Object.hasOwn(proto, key)) proto[key] = Long.fromNumber(value) as T[K];
}

/** A list is written where it has elements. */
export function setList<T extends object, K extends keyof T>(proto: T, key: K, list: unknown[]): void {
  if (list.length > 0) proto[key] = list as T[K];
  else delete proto[key];
}
