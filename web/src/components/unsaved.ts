/** Keeps what has not been saved from being lost by going elsewhere. */

import { useEffect, useState } from 'react';
import type { AroundNavHandler } from 'wouter';

const QUESTION = 'What you changed has not been saved. Leave it?';

/** Who has something unsaved. */
const guards = new Set<symbol>();

/** Asks first when something is unsaved; whether it may be left. */
export function mayLeave(): boolean {
  if (guards.size === 0 || window.confirm(QUESTION)) {
    guards.clear();
    return true;
  }
  return false;
}

/** Navigation of the router, stopped where something is unsaved and shall stay. */
export const guardedNavigation: AroundNavHandler = (navigate, to, options) => {
  const staysHere = new URL(to, window.location.href).pathname === window.location.pathname;
  if (staysHere || mayLeave()) {
    navigate(to, options);
  }
};

/** What the Navigation API has of use here; not every browser has it. */
interface NavigateEvent extends Event {
  navigationType: string;
  destination: { url: string };
}

/** Asks before this page is left while `unsaved`. */
export function useUnsavedGuard(unsaved: boolean): () => void {
  const key = useGuardKey();
  useEffect(() => {
    if (!unsaved) {
      return;
    }
    guards.add(key);
    const beforeUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    // The back button reaches no router.
    const onNavigate = (event: Event) => {
      const { navigationType, destination } = event as NavigateEvent;
      const stays = new URL(destination.url).pathname === window.location.pathname;
      if (navigationType === 'traverse' && !stays && event.cancelable && !mayLeave()) {
        event.preventDefault();
      }
    };
    const navigation = (window as { navigation?: EventTarget }).navigation;
    window.addEventListener('beforeunload', beforeUnload);
    navigation?.addEventListener('navigate', onNavigate);
    return () => {
      guards.delete(key);
      window.removeEventListener('beforeunload', beforeUnload);
      navigation?.removeEventListener('navigate', onNavigate);
    };
  }, [unsaved, key]);
  return () => guards.delete(key);
}

function useGuardKey(): symbol {
  return useState(() => Symbol('unsaved'))[0];
}
