/** Reading JSON of unknown origin without believing it. @module */

/** @throws {SyntaxError} when `text` is not JSON. */
export function parseJson(text: string): unknown {
  return JSON.parse(text);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at the end of a path of keys and indices; `undefined` where the path leads nowhere. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current) && typeof step === 'number') current = current[step];
    else if (isRecord(current) && typeof step === 'string') current = current[step];
    else return undefined;
  }
  return current;
}

/** A number, also one written as text (aria2 does so); 0 for anything else. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  const number = typeof found === 'string' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) ? number : 0;
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The texts in a list; none for anything else. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): readonly string[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isText) : [];
}
