import { Button, Group, Select, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { useRef, useState } from 'react';
import type { MailTemplate } from '@/api/types';
import { CODE_INPUT } from '@/components/code-input';
import { HtmlPreview } from '@/components/HtmlPreview';
import type { Draft } from '../draft';
import { useErrorAt } from '../errors';
import type { AuthPartProps } from './AuthOptions';

interface MailInfo {
  label: string;
  path: string;
  placeholders: string[];
  read: (draft: Draft) => MailTemplate | undefined;
  write: (draft: Draft, mail: MailTemplate) => Partial<Draft>;
}

const COMMON = ['{APP_NAME}', '{APP_URL}', '{RECORD:email}'];
const EMPTY: MailTemplate = { subject: '', body: '' };

const MAILS: MailInfo[] = [
  {
    label: 'Verification of the address',
    path: 'verificationTemplate',
    placeholders: [...COMMON, '{TOKEN}'],
    read: (draft) => draft.verificationTemplate,
    write: (_, mail) => ({ verificationTemplate: mail }),
  },
  {
    label: 'New password',
    path: 'resetPasswordTemplate',
    placeholders: [...COMMON, '{TOKEN}'],
    read: (draft) => draft.resetPasswordTemplate,
    write: (_, mail) => ({ resetPasswordTemplate: mail }),
  },
  {
    label: 'New address',
    path: 'confirmEmailChangeTemplate',
    placeholders: [...COMMON, '{TOKEN}'],
    read: (draft) => draft.confirmEmailChangeTemplate,
    write: (_, mail) => ({ confirmEmailChangeTemplate: mail }),
  },
  {
    label: 'One-time code',
    path: 'otp.emailTemplate',
    placeholders: [...COMMON, '{OTP}', '{OTP_ID}'],
    read: (draft) => draft.otp?.emailTemplate,
    write: (draft, mail) => (draft.otp ? { otp: { ...draft.otp, emailTemplate: mail } } : {}),
  },
  {
    label: 'Sign-in from a new place',
    path: 'authAlert.emailTemplate',
    placeholders: [...COMMON, '{ALERT_INFO}'],
    read: (draft) => draft.authAlert?.emailTemplate,
    write: (draft, mail) =>
      draft.authAlert ? { authAlert: { ...draft.authAlert, emailTemplate: mail } } : {},
  },
];

/** The e-mails that accounts get. */
export function Mails({ draft, onChange }: AuthPartProps) {
  const [path, setPath] = useState(MAILS[0]?.path ?? '');
  const info = MAILS.find((mail) => mail.path === path);
  return (
    <Stack>
      <Select
        label="E-mail"
        allowDeselect={false}
        data={MAILS.map((mail) => ({ value: mail.path, label: mail.label }))}
        value={path}
        onChange={(value) => value && setPath(value)}
      />
      {info && <Mail key={info.path} info={info} draft={draft} onChange={onChange} />}
      {draft.authAlert && (
        <Switch
          label="Tell accounts of a sign-in from a new place"
          checked={draft.authAlert.enabled}
          onChange={(event) =>
            draft.authAlert &&
            onChange({ authAlert: { ...draft.authAlert, enabled: event.currentTarget.checked } })
          }
        />
      )}
    </Stack>
  );
}

function Mail({ info, draft, onChange }: AuthPartProps & { info: MailInfo }) {
  const subjectError = useErrorAt(`${info.path}.subject`);
  const bodyError = useErrorAt(`${info.path}.body`);
  const body = useRef<HTMLTextAreaElement>(null);
  const [preview, setPreview] = useState(false);
  const mail = info.read(draft) ?? EMPTY;
  const set = (values: Partial<MailTemplate>) =>
    onChange(info.write(draft, { ...mail, ...values }));
  const insert = (placeholder: string) => {
    const from = body.current?.selectionStart ?? mail.body.length;
    const to = body.current?.selectionEnd ?? from;
    set({ body: mail.body.slice(0, from) + placeholder + mail.body.slice(to) });
    body.current?.focus();
  };
  return (
    <Stack gap="sm">
      <TextInput
        label="Subject"
        value={mail.subject}
        error={subjectError}
        onChange={(event) => set({ subject: event.currentTarget.value })}
      />
      {preview ? (
        <HtmlPreview title={info.label} html={mail.body} onPaper />
      ) : (
        <Textarea
          ref={body}
          label="Body, in HTML"
          autosize
          minRows={6}
          maxRows={20}
          value={mail.body}
          error={bodyError}
          onChange={(event) => set({ body: event.currentTarget.value })}
          {...CODE_INPUT}
        />
      )}
      <Group gap={4} justify="space-between">
        <Group gap={4}>
          {info.placeholders.map((placeholder) => (
            <Button
              key={placeholder}
              size="compact-xs"
              variant="default"
              disabled={preview}
              onClick={() => insert(placeholder)}
            >
              {placeholder}
            </Button>
          ))}
        </Group>
        <Button size="compact-sm" variant="subtle" onClick={() => setPreview(!preview)}>
          {preview ? 'Edit' : 'Preview'}
        </Button>
      </Group>
    </Stack>
  );
}
