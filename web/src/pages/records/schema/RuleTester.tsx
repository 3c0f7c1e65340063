import {
  Alert,
  Button,
  Drawer,
  Group,
  Input,
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
import type { Collection, Explained } from '@/api/types';
import { ErrorState } from '@/components/states';
import { JsonControl } from '../form/JsonControl';
import { FilterInput } from '../language/FilterInput';
import type { Scope } from '../language/scope';
import { RecordPicker } from '../RecordPicker';
import { ExplanationTree } from './ExplanationTree';
import type { RuleInfo } from './rules';
import { parseObject, recordSkeleton } from './would-be';

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

/** What the verdict is about. */
type Judged = 'record' | 'draft' | 'request';

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
  const creates = info.name === 'createRule';
  const sent = parseObject(body);
  const test = useMutation({
    mutationFn: () =>
      post<Explained>('/rules/explain', {
        collection: collection.name,
        rule: text,
        ...(creates ? { draft: sent } : { recordId }),
        ...(accounts && account ? { identity: { collection: accounts, id: account } } : {}),
        request: {
          method,
          query: Object.fromEntries(new URLSearchParams(query)),
          headers: parseHeaders(headers),
          body: sent,
        },
      }),
  });
  return (
    <Stack>
      <FilterInput label="Rule" value={text} onChange={setText} scope={scope} />
      {creates ? (
        <WouldBe collection={collection} value={body} onChange={setBody} />
      ) : (
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
      <Input.Wrapper label="Method" labelElement="div">
        <div>
          <SegmentedControl
            aria-label="Method"
            size="xs"
            data={['GET', 'POST', 'PATCH', 'DELETE']}
            value={method}
            onChange={setMethod}
          />
        </div>
      </Input.Wrapper>
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
      {!creates && (
        <JsonControl
          label="Body"
          description="What the request sends, as an object in JSON. Rules see it as @request.body."
          withAsterisk={false}
          value={body}
          onChange={setBody}
          error={sent ? undefined : NO_OBJECT}
        />
      )}
      <Button
        onClick={() => test.mutate()}
        loading={test.isPending}
        disabled={!sent || (!creates && !recordId)}
      >
        Test
      </Button>
      <div role="status">
        {test.error && <ErrorState error={test.error} />}
        {test.data && <Result answer={test.data} judged={judgedBy(test.data, creates)} />}
      </div>
    </Stack>
  );
}

const NO_OBJECT = 'This is not an object in JSON.';

interface WouldBeProps {
  collection: Collection;
  value: string;
  onChange: (value: string) => void;
}

/** The record that a create rule is asked about, as a request would send it. */
function WouldBe({ collection, value, onChange }: WouldBeProps) {
  return (
    <div>
      <JsonControl
        label="The record that would be created"
        description="As a request sends it, in JSON. What is left out has its default."
        withAsterisk={false}
        value={value}
        onChange={onChange}
        error={parseObject(value) ? undefined : NO_OBJECT}
      />
      {value.trim() === '' && (
        <Button
          size="compact-xs"
          variant="subtle"
          mt={4}
          onClick={() => onChange(JSON.stringify(recordSkeleton(collection), null, 2))}
        >
          Fill in all fields
        </Button>
      )}
    </div>
  );
}

function judgedBy(answer: Explained, creates: boolean): Judged {
  if (!creates) {
    return 'record';
  }
  return answer.draft ? 'draft' : 'request';
}

const JUDGED: Record<Judged, string> = {
  record: 'Each part says what it compared.',
  draft: 'Judged by the record as it would be. Each part says what it compared.',
  request: 'Judged without a record: parts that depend on one count as possible.',
};

function Result({ answer, judged }: { answer: Explained; judged: Judged }) {
  const allowed = answer.holds;
  return (
    <Stack gap="sm">
      <Alert
        variant="light"
        color={allowed ? 'teal' : 'red'}
        icon={allowed ? <IconCircleCheck /> : <IconCircleX />}
        title={verdict(allowed, judged)}
      >
        {JUDGED[judged]}
      </Alert>
      <ExplanationTree node={answer} />
    </Stack>
  );
}

function verdict(allowed: boolean, judged: Judged): string {
  if (!allowed) {
    return 'The rule refuses it';
  }
  return judged === 'request' ? 'The rule may allow it' : 'The rule allows it';
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

/** `name: value` pairs, separated by semicolons or lines. */
function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(/[;\n]/).flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1).trim()]] : [];
    }),
  );
}
