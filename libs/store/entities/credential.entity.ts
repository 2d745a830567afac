import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key of a host or an administrator, without its secrets. */
@Entity({ name: 'credential', schema: 'placet' })
export class CredentialEntity {
  @PrimaryColumn({ type: 'uuid' })
  tenant!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  kind!: 'api_key' | 'client' | 'federated' | 'scim';

  @Column({ type: 'text', name: 'principal_kind' })
  principalKind!: 'host' | 'administrator';

  @Column({ type: 'text' })
  principal!: string;

  @Column({ type: 'text' })
  environment!: string;

  @Column({ type: 'jsonb' })
  rights!: object;

  @Column({ type: 'text', array: true, nullable: true })
  cidrs!: string[] | null;

  @Column({ type: 'text', nullable: true })
  person!: string | null;

  @Column({ type: 'text', name: 'created_by' })
  createdBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;

  @Column({ type: 'bigint' })
  revision!: number;
}
