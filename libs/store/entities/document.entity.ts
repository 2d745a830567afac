import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The latest version of one document. */
@Entity({ name: 'document', schema: 'placet' })
export class DocumentEntity {
  @PrimaryColumn({ type: 'uuid' })
  tenant!: string;

  @PrimaryColumn({ type: 'text' })
  kind!: string;

  @PrimaryColumn({ type: 'text' })
  name!: string;

  @Column({ type: 'integer' })
  version!: number;

  @Column({ type: 'bigint' })
  revision!: number;

  /** Null where the document was deleted. */
  @Column({ type: 'jsonb', nullable: true })
  body!: object | null;
}
