import { newReceiptId, RECEIPT_TYPE, receiptOf } from '#consent';
import { signText } from '#identity';
import type { ConsentDetail, Store } from '#store';
import type { PublicAddress } from '../../http/public-address.js';
import { endpointsOf } from '../../oauth/endpoints.js';
import type { SigningKeys } from '../../oauth/signing-keys.js';

/** A compact JWS (RFC 7515 §9.2.1). */
export const RECEIPT_MEDIA_TYPE = 'application/jose';

/** A browser keeps it, and does not show it. */
export const RECEIPT_DISPOSITION = 'attachment; filename="receipt.jose"';

/** Issues receipts of consents, signed with the tenant's key, which is published with those of before (`/t/NAME/oauth/jwks/receipts`). */
export class Receipts {
  constructor(
    private readonly store: Store,
    private readonly keys: SigningKeys,
    private readonly address: PublicAddress,
  ) {}

  async issue(tenant: string, detail: ConsentDetail): Promise<string> {
    const name = await this.store.tenantName(tenant);
    if (name === undefined) throw new Error('the tenant is gone');
    const { issuer } = endpointsOf(this.address.url, name);
    const withdrawal = `${this.address.url}/api/v1/me/consents/${detail.consent.id}`;
    const receipt = receiptOf(detail, { id: newReceiptId(), issuer, withdrawal, now: this.store.clock.now() });
    return signText(JSON.stringify(receipt), RECEIPT_TYPE, await this.keys.current(tenant, 'ES256'));
  }
}
