import type { Api } from '../api.js';
import type { Output } from '../output.js';

/** `suspend OF NAME`: when it returns, nothing that is asked for afterwards is allowed to, by or for it. */
export async function suspend(
  api: Api,
  output: Output,
  of: string,
  name: string,
  reason: string | undefined,
): Promise<void> {
  const body = reason === undefined ? {} : { reason };
  const { revision } = await api.put<{ readonly revision: number }>(suspensionPath(of, name), body);
  output.line(`${of} ${name} is suspended; revision ${revision}`);
}

/** `resume OF NAME`: takes a suspension back. */
export async function resume(api: Api, output: Output, of: string, name: string): Promise<void> {
  const { revision } = await api.delete<{ readonly revision: number }>(suspensionPath(of, name));
  output.line(`${of} ${name} goes on; revision ${revision}`);
}

const suspensionPath = (of: string, name: string): string =>
  `/api/v1/suspensions/${encodeURIComponent(of)}/${encodeURIComponent(name)}`;
