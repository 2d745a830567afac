/** The value below which a share of the samples lies; NaN for no samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Times a function call by call, in microseconds. */
export function timeEach(calls: number, call: (index: number) => void): number[] {
  const samples = new Array<number>(calls);
  for (let index = 0; index < calls; index++) {
    const began = performance.now();
    call(index);
    samples[index] = (performance.now() - began) * 1000;
  }
  return samples;
}
