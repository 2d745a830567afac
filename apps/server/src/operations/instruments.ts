type Labels = Readonly<Record<string, string>>;

const key = (labels: Labels): string =>
  Object.entries(labels)
    .map(
      ([name, value]) =>
        `${name}="${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`,
    )
    .join(',');

/** Something that is counted, by labels. */
export class Counter {
  readonly #values = new Map<string, number>();

  constructor(
    private readonly name: string,
    private readonly help: string,
  ) {}

  add(labels: Labels, amount = 1): void {
    const at = key(labels);
    this.#values.set(at, (this.#values.get(at) ?? 0) + amount);
  }

  render(): string {
    const lines = [...this.#values].map(([labels, value]) => `${this.name}{${labels}} ${value}`);
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} counter`, ...lines].join('\n');
  }
}

/** How something is spread, by labels. */
export class Histogram {
  readonly #series = new Map<string, { readonly counts: number[]; sum: number; count: number }>();

  constructor(
    private readonly name: string,
    private readonly help: string,
    private readonly bounds: readonly number[],
  ) {}

  observe(labels: Labels, value: number): void {
    const at = key(labels);
    let series = this.#series.get(at);
    if (!series) this.#series.set(at, (series = { counts: this.bounds.map(() => 0), sum: 0, count: 0 }));
    series.sum += value;
    series.count++;
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) series.counts[bucket]!++;
  }

  render(): string {
    const lines = [...this.#series].flatMap(([labels, { counts, sum, count }]) => {
      const comma = labels === '' ? '' : ',';
      let total = 0;
      return [
        ...this.bounds.map(
          (bound, index) => `${this.name}_bucket{${labels}${comma}le="${bound}"} ${(total += counts[index]!)}`,
        ),
        `${this.name}_bucket{${labels}${comma}le="+Inf"} ${count}`,
        `${this.name}_sum{${labels}} ${sum}`,
        `${this.name}_count{${labels}} ${count}`,
      ];
    });
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} histogram`, ...lines].join('\n');
  }
}
