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
