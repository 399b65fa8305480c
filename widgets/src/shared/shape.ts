// Shapes: a message is described once, and the type, the check at run time and the JSON Schema
// (which the Python side is tested against) all come from that one description.

export type Schema = { readonly [key: string]: unknown };

export interface Shape<T> {
  readonly schema: Schema;
  accepts(value: unknown): value is T;
}

export type Of<S> = S extends Shape<infer T> ? T : never;

function shape<T>(schema: Schema, accepts: (value: unknown) => boolean): Shape<T> {
  return { schema, accepts: accepts as (value: unknown) => value is T };
}

export const text = shape<string>({ type: "string" }, (value) => typeof value === "string");

export const number = shape<number>(
  { type: "number" },
  (value) => typeof value === "number" && Number.isFinite(value),
);

/** A whole number of 0 or more. */
export const count = shape<number>(
  { type: "integer", minimum: 0 },
  (value) => Number.isInteger(value) && (value as number) >= 0,
);

export const truth = shape<boolean>({ type: "boolean" }, (value) => typeof value === "boolean");

export function word<const W extends readonly string[]>(...words: W): Shape<W[number]> {
  return shape({ enum: words }, (value) => words.includes(value as string));
}

export function orNull<T>(inner: Shape<T>): Shape<T | null> {
  return shape({ anyOf: [inner.schema, { type: "null" }] }, (value) => value === null || inner.accepts(value));
}

export function list<T>(inner: Shape<T>): Shape<T[]> {
  return shape(
    { type: "array", items: inner.schema },
    (value) => Array.isArray(value) && value.every((entry) => inner.accepts(entry)),
  );
}

type Fields = { readonly [name: string]: Shape<unknown> };
type ObjectOf<F extends Fields> = { [name in keyof F]: Of<F[name]> };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectSchema(fields: Fields, required: readonly string[]): Schema {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.schema]));
  // Python is tested strictly; a running view ignores what it does not know.
  return { type: "object", properties, required, additionalProperties: false };
}

export function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> & { readonly fields: F } {
  const names = Object.keys(fields);
  const accepts = (value: unknown) =>
    isObject(value) && names.every((name) => fields[name]?.accepts(value[name]) === true);
  return { ...shape<ObjectOf<F>>(objectSchema(fields, names), accepts), fields };
}

/** An object of which any field may be left out. */
export function partial<F extends Fields>(fields: F): Shape<Partial<ObjectOf<F>>> {
  const accepts = (value: unknown) =>
    isObject(value) &&
    Object.keys(fields).every((name) => !(name in value) || fields[name]?.accepts(value[name]) === true);
  return shape(objectSchema(fields, []), accepts);
}

export function oneOf<const S extends readonly Shape<unknown>[]>(...shapes: S): Shape<Of<S[number]>> {
  return shape({ anyOf: shapes.map((one) => one.schema) }, (value) => shapes.some((one) => one.accepts(value)));
}
