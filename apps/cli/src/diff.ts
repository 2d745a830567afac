/** The lines of two texts as a unified list: ` ` kept, `-` gone, `+` new. */
export function diffLines(before: string, after: string): string[] {
  const left = lines(before);
  const right = lines(after);
  const common = commonLengths(left, right);
  const result: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      result.push(`  ${left[i++]}`);
      j++;
    } else if (j >= right.length || (i < left.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      result.push(`- ${left[i++]}`);
    } else {
      result.push(`+ ${right[j++]}`);
    }
  }
  return result;
}

const lines = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** For each pair of places, the length of the longest common subsequence of what follows. */
function commonLengths(left: readonly string[], right: readonly string[]): number[][] {
  const table = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      table[i]![j] = left[i] === right[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}
