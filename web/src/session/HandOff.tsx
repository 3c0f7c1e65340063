/** How the other page hosts get a session of their own: `admin.` makes a single-use code, the host
 * exchanges it. The code travels in the fragment, which no server and no log sees. */

import { Alert, Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { ApiError } from '@/api/client';
import { Frame } from './Frame';
import { adminOrigin, localPath, siblingUrl } from './return-url';
import { newSessionCode, useSessionActions } from './session';

/** On `admin.`, signed in: makes a code for the host that asks and sends the person back there. */
export function SessionCode() {
  const target = siblingUrl(new URLSearchParams(useSearch()).get('return'), window.location);
  const [error, setError] = useState<string | null>(null);
  const started = useRef(false);

  useEffect(() => {
    if (!target || started.current) {
      return;
    }
    started.current = true;
    newSessionCode().then(
      (code) => {
        const path = `${target.pathname}${target.search}`;
        const fragment = new URLSearchParams({ code, return: path });
        window.location.replace(`${target.origin}/session/exchange#${fragment}`);
      },
      (reason: unknown) => setError(messageOf(reason)),
    );
  }, [target]);

  if (!target) {
    return (
      <Problem
        title="Not a page of this platform"
        text="The address to return to is not one of this platform's page hosts, so no session was handed over."
      />
    );
  }
  return error ? <Problem title="No session" text={error} /> : <Waiting text={target.host} />;
}

/** On another page host: exchanges the code for a session and goes on to the page asked for. */
export function SessionExchange() {
  const { exchange } = useSessionActions();
  const [, navigate] = useLocation();
  const [error, setError] = useState<string | null>(null);
  const started = useRef(false);

  useEffect(() => {
    if (started.current) {
      return;
    }
    started.current = true;
    const fragment = new URLSearchParams(window.location.hash.slice(1));
    const target = localPath(fragment.get('return'));
    exchange(fragment.get('code') ?? '').then(
      () => navigate(target, { replace: true }),
      (reason: unknown) => setError(messageOf(reason)),
    );
  }, [exchange, navigate]);

  return error ? (
    <Problem title="The code was not accepted" text={error} />
  ) : (
    <Waiting text={window.location.host} />
  );
}

/** Leaves for `admin.` to come back with a code. */
export function RedirectToAdmin({ origin }: { origin: string }) {
  useEffect(() => {
    const back = new URLSearchParams({ return: window.location.href });
    window.location.replace(`${origin}/session/code?${back}`);
  }, [origin]);
  return <Waiting text={origin.replace(/^https?:\/\//, '')} />;
}

/** After signing out of a host that would otherwise fetch a new session at once. */
export function SignedOut() {
  const admin = adminOrigin(window.location);
  return (
    <Frame title="Signed out">
      <Stack>
        <Text>You are signed out of {window.location.host}.</Text>
        <Group grow>
          <Button component={Link} href="/" variant="default">
            Sign in again
          </Button>
          {admin && (
            <Button component="a" href={admin}>
              Control panel
            </Button>
          )}
        </Group>
      </Stack>
    </Frame>
  );
}

function Waiting({ text }: { text: string }) {
  return (
    <Frame title="Signing in">
      <Group role="status">
        <Loader size="sm" />
        <Text>Getting a session for {text}</Text>
      </Group>
    </Frame>
  );
}

function Problem({ title, text }: { title: string; text: string }) {
  return (
    <Frame title={title}>
      <Stack>
        <Alert color="red" variant="light" role="alert">
          {text}
        </Alert>
        <Button component={Link} href="/">
          Start again
        </Button>
      </Stack>
    </Frame>
  );
}

function messageOf(reason: unknown): string {
  return reason instanceof ApiError ? reason.message : 'Something unexpected happened.';
}
