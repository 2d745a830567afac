import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One version of one document, as it was when it was saved. */
@Entity({ name: 'document_version', schema: 'placet' })
export class DocumentVersionEntity {
  @PrimaryColumn({ type: 'uuid' })
  tenant!: string;

  @PrimaryColumn({ type: 'text' })
  kind!: string;

  @PrimaryColumn({ type: 'text' })
  name!: string;

  @PrimaryColumn({ type: 'integer' })
  version!: number;

  @Column({ type: 'bigint' })
  revision!: number;

  /** Null where this version is the deletion. */
  @Column({ type: 'jsonb', nullable: true })
  body!: object | null;

  @Column({ type: 'text', name: 'changed_by' })
  changedBy!: string;

  @Column({ type: 'timestamptz', name: 'changed_at' })
  changedAt!: Date;
}
