/** The rules of a collection in words. */

import type { Collection, RuleName } from '@/api/types';

export interface RuleInfo {
  name: RuleName;
  label: string;
  /** What it decides. */
  help: string;
  /** Who may when there is no rule. */
  locked: string;
  open: string;
}

const ADMINISTRATORS = 'Administrators alone';

export const RULES: RuleInfo[] = [
  {
    name: 'listRule',
    label: 'List and search',
    help: 'Records that it refuses are left out of the list.',
    locked: ADMINISTRATORS,
    open: 'Everybody may list all records',
  },
  {
    name: 'viewRule',
    label: 'View',
    help: 'A record that it refuses is answered as if it did not exist.',
    locked: ADMINISTRATORS,
    open: 'Everybody may view every record',
  },
  {
    name: 'createRule',
    label: 'Create',
    help: 'It sees the record as it would be.',
    locked: ADMINISTRATORS,
    open: 'Everybody may create records',
  },
  {
    name: 'updateRule',
    label: 'Update',
    help: 'It sees the record as it was; @request.body.* is what is sent.',
    locked: ADMINISTRATORS,
    open: 'Everybody may change every record',
  },
  {
    name: 'deleteRule',
    label: 'Delete',
    help: 'It sees the record that would go.',
    locked: ADMINISTRATORS,
    open: 'Everybody may delete every record',
  },
  {
    name: 'authRule',
    label: 'Sign in',
    help: 'It sees the account after its password, code or provider was accepted; verified = true is a common rule.',
    locked: 'Nobody may sign in',
    open: 'Every account may sign in',
  },
  {
    name: 'manageRule',
    label: 'Manage accounts',
    help: 'Who may change password, e-mail and verification of others without knowing the old ones.',
    locked: ADMINISTRATORS,
    open: 'Everybody may manage accounts',
  },
];

/** The rules that a collection of this type has. */
export function rulesOf(type: Collection['type']): RuleInfo[] {
  switch (type) {
    case 'view':
      return RULES.slice(0, 2);
    case 'base':
      return RULES.slice(0, 5);
    case 'auth':
      return RULES;
  }
}
