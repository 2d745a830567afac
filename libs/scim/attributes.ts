/** An attribute that we keep (RFC 7643 §2). */
export interface Attribute {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'complex';
  readonly multiValued?: boolean;
  readonly required?: boolean;
  readonly readOnly?: boolean;
  readonly caseExact?: boolean;
  readonly uniqueness?: 'server';
  readonly description: string;
  readonly subAttributes?: readonly Attribute[];
}

/** A kind of resource: where it is, and what we keep of it. What is not named here is not kept. */
export interface ResourceKind {
  readonly name: 'User' | 'Group';
  readonly schema: string;
  readonly endpoint: '/Users' | '/Groups';
  readonly description: string;
  readonly attributes: readonly Attribute[];
}

const text = (name: string, description: string, more: Partial<Attribute> = {}): Attribute => ({
  name,
  type: 'string',
  description,
  ...more,
});

const EXTERNAL_ID = text('externalId', 'What the directory calls it.', { caseExact: true });

export const USER: ResourceKind = {
  name: 'User',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:User',
  endpoint: '/Users',
  description: 'A person of the directory',
  attributes: [
    EXTERNAL_ID,
    text('userName', 'The name by which they sign in at the directory.', { required: true, uniqueness: 'server' }),
    text('displayName', 'What they are called.'),
    { name: 'active', type: 'boolean', description: 'Whether they are let in. False ends all that they have.' },
    {
      name: 'name',
      type: 'complex',
      description: 'Their name, in parts.',
      subAttributes: [
        text('formatted', 'All of it.'),
        text('familyName', 'The family name.'),
        text('givenName', 'The given name.'),
        text('middleName', 'Further names.'),
      ],
    },
    {
      name: 'emails',
      type: 'complex',
      multiValued: true,
      description: 'E-mail addresses. None of them says who somebody is.',
      subAttributes: [
        text('value', 'The address.'),
        text('type', 'Such as work or home.'),
        text('display', 'How it is shown.'),
        { name: 'primary', type: 'boolean', description: 'Whether it is the one to use.' },
      ],
    },
    {
      name: 'groups',
      type: 'complex',
      multiValued: true,
      readOnly: true,
      description: 'The groups that they are in; changed at the groups.',
      subAttributes: [
        text('value', 'The id of the group.', { readOnly: true }),
        text('display', 'What it is called.', { readOnly: true }),
      ],
    },
  ],
};

export const GROUP: ResourceKind = {
  name: 'Group',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  endpoint: '/Groups',
  description: 'A group of the directory',
  attributes: [
    EXTERNAL_ID,
    text('displayName', 'What it is called.', { required: true }),
    {
      name: 'members',
      type: 'complex',
      multiValued: true,
      description: 'Users who are in it.',
      subAttributes: [
        text('value', 'The id of the user.', { caseExact: true }),
        text('display', 'What they are called.', { readOnly: true }),
      ],
    },
  ],
};

/** An attribute by its name, whose upper and lower case are the same (RFC 7643 §2.1). */
export const attributeNamed = (among: readonly Attribute[] | undefined, name: string): Attribute | undefined =>
  among?.find((attribute) => attribute.name.toLowerCase() === name.toLowerCase());
