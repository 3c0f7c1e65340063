/** Every route. Pages load when they are first opened. */

import { Center, Loader } from '@mantine/core';
import { type ComponentType, type LazyExoticComponent, lazy, Suspense } from 'react';
import { Redirect, Route, Router, Switch, useLocation } from 'wouter';
import { Crash } from '@/components/Crash';
import { Page } from '@/components/Page';
import { EmptyState, ErrorState } from '@/components/states';
import { guardedNavigation } from '@/components/unsaved';
import { Frame } from '@/session/Frame';
import { RedirectToAdmin, SessionCode, SessionExchange, SignedOut } from '@/session/HandOff';
import { landing } from '@/session/landing';
import { adminOrigin } from '@/session/return-url';
import { SetupNeeded } from '@/session/SetupNeeded';
import { useSession } from '@/session/session';
import { Shell } from '@/shell/Shell';

const Setup = lazy(() => import('@/session/Setup'));
const SignIn = lazy(() => import('@/session/SignIn'));
const PublicPages = lazy(() => import('@/pages/public/PublicPages'));

const PAGES: [string, LazyExoticComponent<ComponentType>][] = [
  ['/network', lazy(() => import('@/pages/network/Overview'))],
  ['/queue', lazy(() => import('@/pages/queue/Jobs'))],
  ['/queue/jobs/:id', lazy(() => import('@/pages/queue/Jobs'))],
  ['/objects', lazy(() => import('@/pages/objects/Buckets'))],
  ['/objects/:bucket', lazy(() => import('@/pages/objects/Browser'))],
  ['/notifications/mailbox', lazy(() => import('@/pages/notifications/Mailbox'))],
  ['/notifications/mailbox/:id', lazy(() => import('@/pages/notifications/Message'))],
  ['/notifications/deliveries', lazy(() => import('@/pages/notifications/Deliveries'))],
  ['/notifications/inbox', lazy(() => import('@/pages/notifications/Inbox'))],
  ['/ai', lazy(() => import('@/pages/ai/Runs'))],
  ['/records', lazy(() => import('@/pages/records/Collections'))],
  ['/records/contents', lazy(() => import('@/pages/records/Contents'))],
  ['/records/contents/:id', lazy(() => import('@/pages/records/Content'))],
  ['/records/:collection', lazy(() => import('@/pages/records/Records'))],
  ['/records/:collection/:id', lazy(() => import('@/pages/records/Record'))],
  ['/schema', lazy(() => import('@/pages/records/schema/SchemaPage'))],
  ['/schema/:collection', lazy(() => import('@/pages/records/schema/SchemaPage'))],
  ['/collections/transfer', lazy(() => import('@/pages/records/transfer/Transfer'))],
  ['/accounts', lazy(() => import('@/pages/records/account/Accounts'))],
  ['/sql', lazy(() => import('@/pages/api/sql/Console'))],
  ['/logs', lazy(() => import('@/pages/api/logs/Logs'))],
  ['/crons', lazy(() => import('@/pages/api/Crons'))],
  ['/backups', lazy(() => import('@/pages/api/Backups'))],
  ['/settings', lazy(() => import('@/pages/api/settings/Settings'))],
  ['/gateway', lazy(() => import('@/pages/gateway/Routing'))],
  ['/gateway/routers', lazy(() => import('@/pages/gateway/routers/Routers'))],
  ['/gateway/routers/:name', lazy(() => import('@/pages/gateway/routers/Router'))],
  ['/gateway/services', lazy(() => import('@/pages/gateway/services/Services'))],
  ['/gateway/services/:name', lazy(() => import('@/pages/gateway/services/Service'))],
  ['/gateway/certificates', lazy(() => import('@/pages/gateway/certificates/Certificates'))],
  ['/gateway/files', lazy(() => import('@/pages/gateway/files/Files'))],
  ['/gateway/files/:name', lazy(() => import('@/pages/gateway/files/File'))],
  ['/gateway/requests', lazy(() => import('@/pages/gateway/requests/Requests'))],
  ['/gateway/middlewares', lazy(() => import('@/pages/gateway/middlewares/Middlewares'))],
  ['/gateway/middlewares/:name', lazy(() => import('@/pages/gateway/middlewares/Middleware'))],
  ['/mobile', lazy(() => import('@/pages/mobile/Updates'))],
];

export function App() {
  return (
    <Suspense fallback={<Loading />}>
      <Router aroundNav={guardedNavigation}>
        <Routes />
      </Router>
    </Suspense>
  );
}

function Routes() {
  return (
    <Switch>
      <Route path="/setup" component={Setup} />
      <Route path="/auth/*?" component={PublicPages} />
      <Route path="/_/*?" component={PublicPages} />
      <Route path="/sign-in">
        <SignInHere />
      </Route>
      <Route path="/signed-out" component={SignedOut} />
      <Route path="/session/exchange" component={SessionExchange} />
      <Route>
        <SignedIn />
      </Route>
    </Switch>
  );
}

/** Signing in happens on `admin.`; the other page hosts get their session from there. */
function SignInHere() {
  return adminOrigin(window.location) ? <Redirect to="/" replace /> : <SignIn />;
}

function SignedIn() {
  const { data: session, error, refetch } = useSession();
  const [path] = useLocation();
  if (!session) {
    return error ? (
      <Frame title="mito cannot be reached">
        <ErrorState error={error} retry={() => void refetch()} />
      </Frame>
    ) : (
      <Loading />
    );
  }
  if (!session.identity) {
    const admin = adminOrigin(window.location);
    if (admin) {
      return <RedirectToAdmin origin={admin} />;
    }
    if (session.setupNeeded) {
      return <SetupNeeded />;
    }
    const back = `${path}${window.location.search}`;
    return <Redirect to={`/sign-in?${new URLSearchParams({ return: back })}`} replace />;
  }
  return (
    <Switch>
      <Route path="/session/code" component={SessionCode} />
      <Route>
        <Shell identity={session.identity}>
          <Crash key={path}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/">
                  <Redirect to={landing(window.location)} replace />
                </Route>
                <Route path="/dashboard/*?">
                  <Redirect to="/gateway" replace />
                </Route>
                {PAGES.map(([pattern, component]) => (
                  <Route key={pattern} path={pattern} component={component} />
                ))}
                <Route>
                  <Page title="There is no such page">
                    <EmptyState title="Nothing has this address">
                      Choose a page from the navigation, or search with Ctrl+K.
                    </EmptyState>
                  </Page>
                </Route>
              </Switch>
            </Suspense>
          </Crash>
        </Shell>
      </Route>
    </Switch>
  );
}

function Loading() {
  return (
    <Center mih="60dvh">
      <Loader aria-label="Loading" />
    </Center>
  );
}
