import { Alert, Anchor, Button, Group, Paper, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { ApiError } from '@/api/client';
import { toastDone, toastError } from '@/components/actions';
import { useUnsavedGuard } from '@/components/unsaved';
import { segment } from '../names';
import { Editor, type EditorHandle } from './Editor';
import classes from './Editor.module.css';
import { applyFile, checkFile, type FileText, fileKey, useFiles } from './queries';
import { TEMPLATES } from './template';
import { formatOf, shiftedLine } from './text';
import { type Trouble, useTroubles } from './troubles';

interface FileEditorProps {
  name: string;
  /** What is in use; `null` for a file that is new. */
  stored: FileText | null;
}

interface Problem {
  message: string;
  line: number | null;
}

/** The text that was begun with, and the version that it has. */
interface Base {
  text: string;
  version: string | undefined;
}

/** The editor of a file: checks it, and applies what is valid. */
export function FileEditor({ name, stored }: FileEditorProps) {
  const format = formatOf(name);
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [base, setBase] = useState<Base>(stored ?? { text: TEMPLATES[format], version: undefined });
  const [text, setText] = useState(base.text);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isValid, setIsValid] = useState(false);
  const [busy, setBusy] = useState<'check' | 'apply' | null>(null);
  const editor = useRef<EditorHandle>(null);
  const changed = text !== base.text;
  const release = useUnsavedGuard(changed && busy !== 'apply');
  const known = useStoredProblem(name);
  // What is in use was judged when it was read.
  const shown = problem ?? (changed || isValid ? null : known);

  const troubles = useTroubles().filter(({ file }) => file === name);
  const marks = new Set(
    // What the gateway said of the text in use means nothing in another one.
    [shown, ...(changed || !stored ? [] : troubles)].flatMap((one) => one?.line ?? []),
  );
  useAskedLine(editor);

  const start = (from: FileText) => {
    setBase(from);
    setText(from.text);
    setProblem(null);
    setIsValid(false);
  };
  const newer = stored && stored.version !== base.version ? stored : null;
  if (newer && !changed && busy === null) {
    start(newer);
  }

  const change = (next: string) => {
    setText(next);
    setIsValid(false);
    if (problem?.line) {
      setProblem({ ...problem, line: shiftedLine(text, next, problem.line) });
    }
  };

  const run = async (what: 'check' | 'apply', action: () => Promise<void>) => {
    setBusy(what);
    try {
      await action();
      setProblem(null);
    } catch (reason) {
      await refused(reason);
    } finally {
      setBusy(null);
    }
  };

  const refused = async (reason: unknown) => {
    setIsValid(false);
    if (reason instanceof ApiError && reason.status === 422) {
      setProblem({ message: reason.message, line: reason.line });
      if (reason.line !== null) {
        editor.current?.goTo(reason.line);
      }
      return;
    }
    if (reason instanceof ApiError && reason.status === 409) {
      // The newer version brings the question what to do.
      await client.refetchQueries({ queryKey: fileKey(name) });
    }
    toastError(reason);
  };

  const check = () =>
    run('check', async () => {
      await checkFile(name, text);
      setIsValid(true);
    });

  const apply = () =>
    run('apply', async () => {
      const saved = await applyFile(name, text, stored ? base.version : undefined);
      release();
      client.setQueryData(fileKey(name), saved);
      start(saved);
      toastDone(`${name} is in use.`);
      navigate(`/gateway/files/${segment(name)}`, { replace: true });
      await client.invalidateQueries({ queryKey: ['gateway'] });
    });

  // A file that is not there, or no longer, can be made as it stands here.
  const canApply = (changed || !stored) && !newer;
  return (
    <>
      {newer && changed && (
        <Conflict
          onTheirs={() => start(newer)}
          onMine={() => setBase({ text: newer.text, version: newer.version })}
        />
      )}
      {troubles.length > 0 && stored && (
        <Troubles
          troubles={troubles}
          onGoTo={changed ? undefined : (line) => editor.current?.goTo(line)}
        />
      )}
      {shown && <Wrong problem={shown} onGoTo={(line) => editor.current?.goTo(line)} />}
      <Editor
        ref={editor}
        label={`Text of ${name}`}
        value={text}
        onChange={change}
        format={format}
        wrongLines={marks}
        onSave={() => canApply && busy === null && void apply()}
      />
      <Paper withBorder className={classes.bar} role="group" aria-label="Apply the file">
        <Group justify="flex-end" gap="xs">
          <Text size="sm" c="dimmed" role="status" mr="auto">
            {isValid && (
              <Group component="span" gap={6} c="teal">
                <IconCheck size={16} /> It is valid.
              </Group>
            )}
            {!isValid && (changed || !stored) && 'Not applied yet'}
          </Text>
          <Button
            variant="default"
            disabled={!changed || busy !== null}
            onClick={() => {
              setText(base.text);
              setProblem(null);
              setIsValid(false);
            }}
          >
            Undo
          </Button>
          <Button
            variant="default"
            loading={busy === 'check'}
            disabled={busy !== null}
            onClick={() => void check()}
          >
            Check
          </Button>
          <Button
            loading={busy === 'apply'}
            disabled={!canApply || busy !== null}
            onClick={() => void apply()}
          >
            Apply
          </Button>
        </Group>
      </Paper>
    </>
  );
}

/** What the gateway found wrong with the file as it is stored. */
function useStoredProblem(name: string): Problem | null {
  const error = useFiles().data?.find((file) => file.name === name)?.error;
  return error ? { message: error.message, line: error.line ?? null } : null;
}

/** Puts the cursor on the line that the address asks for. */
function useAskedLine(editor: RefObject<EditorHandle | null>): void {
  const line = Number(useSearchParams()[0].get('line'));
  useEffect(() => {
    if (line > 0) {
      editor.current?.goTo(line);
    }
  }, [editor, line]);
}

interface TroublesProps {
  troubles: Trouble[];
  onGoTo: ((line: number) => void) | undefined;
}

/** Parts of the file in use that do not work. */
function Troubles({ troubles, onGoTo }: TroublesProps) {
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle />}
      title={
        troubles.length === 1 ? 'A part does not work' : `${troubles.length} parts do not work`
      }
    >
      {troubles.map(({ line, text }) => (
        <Text key={`${line} ${text}`} size="sm">
          {line !== null && onGoTo ? (
            <Anchor
              component="button"
              type="button"
              inherit
              c="inherit"
              underline="always"
              onClick={() => onGoTo(line)}
            >
              Line {line}
            </Anchor>
          ) : (
            line !== null && `Line ${line}`
          )}
          {line !== null && ': '}
          {text}
        </Text>
      ))}
    </Alert>
  );
}

interface WrongProps {
  problem: Problem;
  onGoTo: (line: number) => void;
}

function Wrong({ problem: { message, line }, onGoTo }: WrongProps) {
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle />}
      title={line === null ? 'Not valid' : `Line ${line} is not valid`}
      role="alert"
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm">{message}</Text>
        {line !== null && (
          <Button size="xs" variant="default" onClick={() => onGoTo(line)}>
            Go to line {line}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

function Conflict({ onTheirs, onMine }: { onTheirs: () => void; onMine: () => void }) {
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle />}
      title="The file has been changed elsewhere"
      role="alert"
    >
      <Text size="sm" mb="xs">
        Nothing of yours has been applied. Which text shall go on?
      </Text>
      <Group gap="xs">
        <Button size="xs" variant="default" onClick={onTheirs}>
          Take theirs and drop mine
        </Button>
        <Button size="xs" variant="default" onClick={onMine}>
          Go on with mine
        </Button>
      </Group>
    </Alert>
  );
}
