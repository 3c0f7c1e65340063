import { Button, Group, Paper, SegmentedControl, Stack, Tabs, TextInput } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { ApiError, patch, post } from '@/api/client';
import type { Collection } from '@/api/types';
import { toastDone } from '@/components/actions';
import { Page } from '@/components/Page';
import { useUnsavedGuard } from '@/components/unsaved';
import { AuthOptions } from './auth/AuthOptions';
import { CollectionMenu } from './CollectionMenu';
import { confirmChanges } from './confirm-changes';
import { bodyOf, changesOf, type Draft, draftOf, errorsOf, isChanged } from './draft';
import { ErrorSummary, ErrorsContext, type SchemaErrors } from './errors';
import { Fields } from './Fields';
import { Rules } from './Rules';
import classes from './SchemaEditor.module.css';
import { ViewQuery } from './ViewQuery';

interface SchemaEditorProps {
  initial: Draft;
  /** What is stored; nothing for a new collection. */
  stored: Collection | undefined;
}

interface Failure {
  title: string;
  errors: SchemaErrors;
}

/** Everything about a collection: fields, rules, options. */
export function SchemaEditor({ initial, stored }: SchemaEditorProps) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [base, setBase] = useState(initial);
  const [draft, setDraft] = useState(initial);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const changed = isChanged(base, draft);
  const release = useUnsavedGuard(changed && !busy);
  const start = (from: Draft) => {
    setBase(from);
    setDraft(from);
  };
  // Somebody else may save the collection too; what is being changed here stays.
  const [version, setVersion] = useState(stored?.updated);
  if (stored && stored.updated !== version && !busy) {
    setVersion(stored.updated);
    if (!changed) {
      start(initial);
    }
  }

  const save = async () => {
    setBusy(true);
    setFailure(null);
    try {
      const body = bodyOf(draft);
      const saved = stored
        ? await patch<Collection>(`/collections/${encodeURIComponent(stored.id)}`, body)
        : await post<Collection>('/collections', body);
      release();
      start(draftOf(saved));
      toastDone(`The collection ${saved.name} is saved.`);
      if (stored) {
        // Under its new name it has to be known before its address changes.
        client.setQueryData<Collection[]>(['records', 'collections'], (list) =>
          list?.map((one) => (one.id === saved.id ? saved : one)),
        );
        if (stored.name !== saved.name) {
          const here = `/schema/${encodeURIComponent(saved.name)}`;
          navigate(`${here}${window.location.search}`, { replace: true });
        }
      }
      await client.invalidateQueries({ queryKey: ['records'] });
      if (!stored) {
        navigate(`/records/${encodeURIComponent(saved.name)}`, { replace: true });
      }
    } catch (reason) {
      if (!(reason instanceof ApiError)) {
        throw reason;
      }
      setFailure({ title: reason.message, errors: errorsOf(draft, reason.fields) });
      // In a long collection what is wrong may be out of sight.
      window.setTimeout(() =>
        document.querySelector('[aria-invalid="true"]')?.scrollIntoView({ block: 'center' }),
      );
    } finally {
      setBusy(false);
    }
  };
  const ask = () => confirmChanges(stored ? changesOf(stored, draft) : [], () => void save());

  return (
    <ErrorsContext value={failure?.errors ?? {}}>
      <Page
        title={stored ? stored.name : 'New collection'}
        crumbs={[
          { label: 'Collections', href: '/records' },
          ...(stored
            ? [{ label: 'Records', href: `/records/${encodeURIComponent(stored.name)}` }]
            : []),
        ]}
        actions={
          stored && (
            <>
              <Button
                component={Link}
                href={`/records/${encodeURIComponent(stored.name)}`}
                variant="default"
                leftSection={<IconTable size={16} />}
              >
                Records
              </Button>
              <CollectionMenu collection={stored} />
            </>
          )
        }
      >
        <ErrorSummary errors={failure?.errors ?? {}} title={failure?.title ?? null} />
        <Head draft={draft} stored={stored} onChange={setDraft} />
        <Parts draft={draft} stored={stored} onChange={setDraft} />
        {(changed || !stored) && (
          <Paper withBorder className={classes.bar} role="group" aria-label="Save the collection">
            <Group justify="flex-end" gap="xs" wrap="nowrap">
              <Button
                variant="default"
                disabled={!changed || busy}
                onClick={() => {
                  start(initial);
                  setFailure(null);
                }}
              >
                Undo
              </Button>
              <Button onClick={ask} loading={busy} disabled={!changed && stored !== undefined}>
                {stored ? 'Save changes' : 'Create the collection'}
              </Button>
            </Group>
          </Paper>
        )}
      </Page>
    </ErrorsContext>
  );
}

interface PartProps {
  draft: Draft;
  stored: Collection | undefined;
  onChange: (draft: Draft) => void;
}

function Head({ draft, stored, onChange }: PartProps) {
  const [, navigate] = useLocation();
  return (
    <ErrorsContext.Consumer>
      {(errors) => (
        <Group align="flex-end">
          <TextInput
            label="Name"
            value={draft.name}
            disabled={draft.system ?? false}
            error={errors.name}
            placeholder="posts"
            autoFocus={!stored}
            autoComplete="off"
            spellCheck={false}
            flex={1}
            miw={200}
            onChange={(event) => onChange({ ...draft, name: event.currentTarget.value })}
          />
          {!stored && (
            <SegmentedControl
              aria-label="Type"
              data={[
                { value: 'base', label: 'Records' },
                { value: 'auth', label: 'Accounts' },
                { value: 'view', label: 'View' },
              ]}
              value={draft.type}
              onChange={(type) => {
                const search = new URLSearchParams({ type, name: draft.name });
                navigate(`/schema?${search}`, { replace: true });
              }}
            />
          )}
        </Group>
      )}
    </ErrorsContext.Consumer>
  );
}

/** The part that an address names, where the collection has it. */
function partOf(name: string | null, type: Collection['type']): string | null {
  const parts = { base: ['fields'], auth: ['fields', 'options'], view: ['query'] }[type];
  return name !== null && ['rules', ...parts].includes(name) ? name : null;
}

function Parts({ draft, stored, onChange }: PartProps) {
  const isView = draft.type === 'view';
  const first = isView ? 'query' : 'fields';
  const [search, setSearch] = useSearchParams();
  const open = (part: string | null) => {
    setSearch(
      (current) => {
        const next = new URLSearchParams(current);
        next.set('part', part ?? first);
        return next;
      },
      { replace: true },
    );
  };
  return (
    <Tabs
      value={partOf(search.get('part'), draft.type) ?? first}
      onChange={open}
      keepMounted={false}
    >
      <Tabs.List mb="md">
        {isView ? (
          <Tabs.Tab value="query">Query</Tabs.Tab>
        ) : (
          <Tabs.Tab value="fields">Fields</Tabs.Tab>
        )}
        <Tabs.Tab value="rules">Rules</Tabs.Tab>
        {draft.type === 'auth' && <Tabs.Tab value="options">Sign-in</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="query">
        <ViewQuery draft={draft} onChange={onChange} />
      </Tabs.Panel>
      <Tabs.Panel value="fields">
        <Fields draft={draft} onChange={onChange} />
      </Tabs.Panel>
      <Tabs.Panel value="rules">
        <Rules draft={draft} stored={stored} onChange={onChange} />
      </Tabs.Panel>
      <Tabs.Panel value="options">
        <Stack>
          <AuthOptions draft={draft} onChange={(values) => onChange({ ...draft, ...values })} />
        </Stack>
      </Tabs.Panel>
    </Tabs>
  );
}
