/** A way from one name up to another by inheritance, shortest first; undefined if there is none. */
export function pathBetween(
  parentsOf: (name: string) => readonly string[],
  from: string,
  to: string,
): string[] | undefined {
  const queue: string[][] = [[from]];
  const seen = new Set([from]);
  for (const path of queue) {
    const last = path.at(-1)!;
    if (last === to) return path;
    for (const parent of parentsOf(last)) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      queue.push([...path, parent]);
    }
  }
  return undefined;
}
