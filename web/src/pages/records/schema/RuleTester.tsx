import {
  Alert,
  Button,
  Drawer,
  Group,
  Input,
  JsonInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  TextInput,
} from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Collection, Explanation } from '@/api/types';
import { ErrorState } from '@/components/states';
import { FilterInput } from '../language/FilterInput';
import type { Scope } from '../language/scope';
import { RecordPicker } from '../RecordPicker';
import { ExplanationTree } from './ExplanationTree';
import type { RuleInfo } from './rules';

interface RuleTesterProps {
  collection: Collection;
  scope: Scope;
  info: RuleInfo | null;
  rule: string | null;
  onClose: () => void;
}

/** Asks the server what a rule says to a request, and why. Nothing is changed by it. */
export function RuleTester({ info, onClose, ...rest }: RuleTesterProps) {
  return (
    <Drawer
      opened={info !== null}
      onClose={onClose}
      size="xl"
      title={`Test the rule: ${info?.label ?? ''}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {info && <Tester key={info.name} info={info} {...rest} />}
    </Drawer>
  );
}

const METHODS: Record<string, string> = {
  createRule: 'POST',
  updateRule: 'PATCH',
  deleteRule: 'DELETE',
  authRule: 'POST',
};

function Tester({
  collection,
  scope,
  info,
  rule,
}: Omit<RuleTesterProps, 'info' | 'onClose'> & { info: RuleInfo }) {
  const [text, setText] = useState(rule ?? '');
  const [recordId, setRecordId] = useState<string | null>(null);
  const [accounts, setAccounts] = useState<string | null>(null);
  const [account, setAccount] = useState<string | null>(null);
  const [method, setMethod] = useState(METHODS[info.name] ?? 'GET');
  const [body, setBody] = useState('');
  const [query, setQuery] = useState('');
  const [headers, setHeaders] = useState('');
  const test = useMutation({
    mutationFn: () =>
      post<Explanation>('/rules/explain', {
        collection: collection.name,
        rule: text,
        ...(recordId ? { recordId } : {}),
        ...(accounts && account ? { identity: { collection: accounts, id: account } } : {}),
        request: {
          method,
          query: Object.fromEntries(new URLSearchParams(query)),
          headers: parseHeaders(headers),
          body: body.trim() === '' ? {} : JSON.parse(body),
        },
      }),
  });
  const creates = info.name === 'createRule';
  const bodyIsWrong = !isObjectText(body);
  return (
    <Stack>
      <FilterInput label="Rule" value={text} onChange={setText} scope={scope} />
      {!creates && (
        <RecordPicker
          label="Record"
          placeholder="Choose a record"
          collection={collection}
          value={recordId}
          onChange={setRecordId}
        />
      )}
      <Identity
        collections={scope.collections}
        accounts={accounts}
        account={account}
        onAccounts={(name) => {
          setAccounts(name);
          setAccount(null);
        }}
        onAccount={setAccount}
      />
      <div>
        <Input.Label component="div">Method</Input.Label>
        <SegmentedControl
          aria-label="Method"
          size="xs"
          data={['GET', 'POST', 'PATCH', 'DELETE']}
          value={method}
          onChange={setMethod}
        />
      </div>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput
          label="Query"
          placeholder="page=1&filter=…"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
        <TextInput
          label="Headers"
          placeholder="x-token: abc"
          value={headers}
          onChange={(event) => setHeaders(event.currentTarget.value)}
        />
      </SimpleGrid>
      <JsonInput
        label={creates ? 'Body: the record that is created' : 'Body'}
        placeholder='{"title": "new"}'
        autosize
        minRows={2}
        value={body}
        onChange={setBody}
        error={bodyIsWrong ? 'This is not an object in JSON.' : undefined}
      />
      <Button
        onClick={() => test.mutate()}
        loading={test.isPending}
        disabled={bodyIsWrong || (!creates && !recordId)}
      >
        Test
      </Button>
      <div role="status">
        {test.error && <ErrorState error={test.error} />}
        {test.data && <Result explanation={test.data} withRecord={recordId !== null} />}
      </div>
    </Stack>
  );
}

function Result({ explanation, withRecord }: { explanation: Explanation; withRecord: boolean }) {
  const allowed = explanation.holds;
  return (
    <Stack gap="sm">
      <Alert
        variant="light"
        color={allowed ? 'teal' : 'red'}
        icon={allowed ? <IconCircleCheck /> : <IconCircleX />}
        title={allowed ? 'The rule allows it' : 'The rule refuses it'}
      >
        {withRecord
          ? 'Each part says what it compared.'
          : 'Judged without a record: parts that depend on one count as possible.'}
      </Alert>
      <ExplanationTree node={explanation} />
    </Stack>
  );
}

interface IdentityProps {
  collections: Collection[];
  accounts: string | null;
  account: string | null;
  onAccounts: (name: string | null) => void;
  onAccount: (id: string | null) => void;
}

function Identity({ collections, accounts, account, onAccounts, onAccount }: IdentityProps) {
  const auth = collections.filter(({ type }) => type === 'auth');
  const chosen = auth.find(({ name }) => name === accounts);
  return (
    <Group align="flex-end" gap="sm">
      <Select
        label="Who asks"
        placeholder="Nobody is signed in"
        clearable
        data={auth.map(({ name }) => name)}
        value={accounts}
        onChange={onAccounts}
        w={{ base: '100%', xs: 200 }}
      />
      {chosen && (
        <RecordPicker
          label="Account"
          placeholder="Choose an account"
          collection={chosen}
          value={account}
          onChange={onAccount}
        />
      )}
    </Group>
  );
}

function isObjectText(text: string): boolean {
  if (text.trim() === '') {
    return true;
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** `name: value` pairs, separated by semicolons or lines. */
function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(/[;\n]/).flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1).trim()]] : [];
    }),
  );
}
