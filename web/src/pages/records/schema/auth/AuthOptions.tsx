import { Accordion, Badge, Group, Text } from '@mantine/core';
import { type ReactNode, useContext } from 'react';
import type { Draft } from '../draft';
import { ErrorsContext, hasErrorBelow } from '../errors';
import { Mails } from './Mails';
import { OneTimeCodes, Passwords, SecondFactor } from './Methods';
import { OAuth2 } from './OAuth2';
import { Tokens } from './Tokens';

export interface AuthPartProps {
  draft: Draft;
  onChange: (values: Partial<Draft>) => void;
}

interface Section {
  value: string;
  label: string;
  /** Where the server's messages about it lie. */
  paths: string[];
  enabled?: (draft: Draft) => boolean | undefined;
  content: (props: AuthPartProps) => ReactNode;
}

const SECTIONS: Section[] = [
  {
    value: 'password',
    label: 'Password',
    paths: ['passwordAuth'],
    enabled: ({ passwordAuth }) => passwordAuth?.enabled,
    content: Passwords,
  },
  {
    value: 'otp',
    label: 'One-time code by e-mail',
    paths: ['otp'],
    enabled: ({ otp }) => otp?.enabled,
    content: OneTimeCodes,
  },
  {
    value: 'oauth2',
    label: 'OAuth2 and OpenID',
    paths: ['oauth2'],
    enabled: ({ oauth2 }) => oauth2?.enabled,
    content: OAuth2,
  },
  {
    value: 'mfa',
    label: 'Second factor',
    paths: ['mfa'],
    enabled: ({ mfa }) => mfa?.enabled,
    content: SecondFactor,
  },
  {
    value: 'mails',
    label: 'E-mails',
    paths: [
      'authAlert',
      'verificationTemplate',
      'resetPasswordTemplate',
      'confirmEmailChangeTemplate',
      'otp.emailTemplate',
    ],
    content: Mails,
  },
  {
    value: 'tokens',
    label: 'Tokens',
    paths: [
      'authToken',
      'passwordResetToken',
      'emailChangeToken',
      'verificationToken',
      'fileToken',
    ],
    content: Tokens,
  },
];

/** How accounts sign in, and what is sent to them. */
export function AuthOptions(props: AuthPartProps) {
  const errors = useContext(ErrorsContext);
  return (
    <Accordion variant="separated" order={2} multiple defaultValue={['password']}>
      {SECTIONS.map(({ value, label, paths, enabled, content: Content }) => {
        const on = enabled?.(props.draft);
        const wrong = paths.some((path) => hasErrorBelow(errors, path));
        return (
          <Accordion.Item key={value} value={value}>
            <Accordion.Control>
              <Group gap="xs">
                <Text span size="md" fw={600}>
                  {label}
                </Text>
                {on !== undefined && (
                  <Badge radius="sm" tt="none" variant="light" color={on ? 'teal' : 'gray'}>
                    {on ? 'on' : 'off'}
                  </Badge>
                )}
                {wrong && (
                  <Badge radius="sm" tt="none" variant="light" color="red">
                    not accepted
                  </Badge>
                )}
              </Group>
            </Accordion.Control>
            <Accordion.Panel>
              <Content {...props} />
            </Accordion.Panel>
          </Accordion.Item>
        );
      })}
    </Accordion>
  );
}
