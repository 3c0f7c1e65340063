import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';

interface TypedConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  text: string;
  /** What has to be typed. */
  word: string;
  /** The verb on the button. */
  verb: string;
  onConfirm: () => void;
}

/** Asks for a name before something large is lost. */
export function TypedConfirm({ opened, onClose, title, ...rest }: TypedConfirmProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Question onClose={onClose} {...rest} />
    </Modal>
  );
}

function Question({
  onClose,
  text,
  word,
  verb,
  onConfirm,
}: Omit<TypedConfirmProps, 'opened' | 'title'>) {
  const [typed, setTyped] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed === word) {
      onClose();
      onConfirm();
    }
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{text}</Text>
        <TextInput
          label={
            <>
              Type <Code>{word}</Code> to go on
            </>
          }
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red" disabled={typed !== word}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
