import type { PolicySet } from '#policy';

/** Whether people of a tenant may sign in devices. Where nothing is said, they may. */
export function letsDevicesIn({ documents }: PolicySet): boolean {
  const [tenant] = documents.all('Tenant');
  const { deviceFlow = 'on' } = tenant?.document.signIn ?? {};
  return deviceFlow === 'on';
}
