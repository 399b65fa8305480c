// Numbers and names as a person reads them.

/** 12 s, 1 min 15 s, 1 h 1 min. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The last part of a path or an address. */
export function shortName(name: string): string {
  return name.replace(/\/+$/, "").split("/").pop() || name;
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** How long ago, roughly: "now", "12 s ago", "3 min ago", "2 h ago", "5 d ago". */
export function ago(seconds: number): string {
  if (seconds < 0) return `in ${rough(-seconds)}`;
  return seconds < 2 ? "now" : `${rough(seconds)} ago`;
}

function rough(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A span as exactly as it is short: 42 ms, 3.2 s, 1 min 15 s. */
export function span(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(Math.max(0, seconds) * 1000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** A measured value with as many figures as it bears. */
export function value(number: number, unit = ""): string {
  const size = Math.abs(number);
  const digits = Number.isInteger(number) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text =
    size > 0 && size < 0.1
      ? String(Number(number.toPrecision(2)))
      : number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === "" ? text : `${text} ${unit}`;
}

/** A moment as its machine's clock shows it here. */
export function exact(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toLocaleString();
}

/** The time of the day of a moment. */
export function clock(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toLocaleTimeString();
}

export function sameDay(one: number, other: number): boolean {
  return new Date(one * 1000).toDateString() === new Date(other * 1000).toDateString();
}
