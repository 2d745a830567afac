import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When a credential was last used, to within some minutes. */
@Entity({ name: 'credential_use', schema: 'placet' })
export class CredentialUseEntity {
  @PrimaryColumn({ type: 'uuid' })
  tenant!: string;

  @PrimaryColumn({ type: 'text' })
  credential!: string;

  @Column({ type: 'timestamptz', name: 'last_used_at' })
  lastUsedAt!: Date;
}
