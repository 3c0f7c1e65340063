/** PocketBase's collections. */

export type FieldType =
  | 'text'
  | 'editor'
  | 'number'
  | 'bool'
  | 'email'
  | 'url'
  | 'date'
  | 'autodate'
  | 'select'
  | 'file'
  | 'relation'
  | 'json'
  | 'geoPoint'
  | 'password';

/** A field with the options of every type; which ones it has depends on its type. */
export interface CollectionField {
  id: string;
  name: string;
  type: FieldType;
  system?: boolean;
  hidden?: boolean;
  presentable?: boolean;
  required?: boolean;
  help?: string;
  /** Text and password: a length; number: a value; date: a moment. */
  min?: number | string | null;
  max?: number | string | null;
  pattern?: string;
  autogeneratePattern?: string;
  primaryKey?: boolean;
  cost?: number;
  onlyInt?: boolean;
  convertURLs?: boolean;
  onlyDomains?: string[] | null;
  exceptDomains?: string[] | null;
  onCreate?: boolean;
  onUpdate?: boolean;
  values?: string[];
  minSelect?: number;
  maxSelect?: number;
  collectionId?: string;
  cascadeDelete?: boolean;
  /** In bytes; 0 is the default limit. */
  maxSize?: number;
  mimeTypes?: string[] | null;
  thumbs?: string[] | null;
  protected?: boolean;
}

export type RuleName =
  | 'listRule'
  | 'viewRule'
  | 'createRule'
  | 'updateRule'
  | 'deleteRule'
  | 'authRule'
  | 'manageRule';

export interface MailTemplate {
  subject: string;
  body: string;
}

export interface OAuth2Provider {
  name: string;
  clientId: string;
  clientSecret?: string;
  authURL: string;
  tokenURL: string;
  userInfoURL: string;
  displayName: string;
  pkce: boolean | null;
  extra: Record<string, unknown> | null;
}

/** A token's lifetime in seconds; a new secret ends the tokens that were signed with the old one. */
export interface TokenOptions {
  duration: number;
  secret?: string;
}

/** What a collection of accounts has beside fields and rules. */
export interface AuthOptions {
  authRule: string | null;
  manageRule: string | null;
  authAlert: { enabled: boolean; emailTemplate: MailTemplate };
  oauth2: {
    enabled: boolean;
    providers: OAuth2Provider[];
    mappedFields: { id: string; name: string; username: string; avatarURL: string };
  };
  passwordAuth: { enabled: boolean; identityFields: string[] };
  mfa: { enabled: boolean; duration: number; rule: string };
  otp: { enabled: boolean; duration: number; length: number; emailTemplate: MailTemplate };
  authToken: TokenOptions;
  passwordResetToken: TokenOptions;
  emailChangeToken: TokenOptions;
  verificationToken: TokenOptions;
  fileToken: TokenOptions;
  verificationTemplate: MailTemplate;
  resetPasswordTemplate: MailTemplate;
  confirmEmailChangeTemplate: MailTemplate;
}

export interface Collection extends Partial<AuthOptions> {
  id: string;
  name: string;
  type: 'base' | 'auth' | 'view';
  system?: boolean;
  fields: CollectionField[];
  indexes: string[];
  listRule: string | null;
  viewRule: string | null;
  createRule: string | null;
  updateRule: string | null;
  deleteRule: string | null;
  viewQuery?: string;
  created?: string;
  updated?: string;
}
