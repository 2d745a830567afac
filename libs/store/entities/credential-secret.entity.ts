import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One of the secrets of a key, as its MAC. */
@Entity({ name: 'credential_secret', schema: 'placet' })
export class CredentialSecretEntity {
  @PrimaryColumn({ type: 'uuid' })
  tenant!: string;

  @PrimaryColumn({ type: 'text' })
  credential!: string;

  @PrimaryColumn({ type: 'integer' })
  number!: number;

  @Column({ type: 'bytea' })
  mac!: Buffer;

  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt!: Date | null;
}
