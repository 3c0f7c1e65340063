/** The gateway's stream of requests. */

import { useEffect, useReducer, useRef, useState } from 'react';
import { ApiError, apiUrl, request } from '@/api/client';
import { parseRequest, Traffic } from './traffic';

/** How often what arrived is drawn. */
const DRAW_MS = 1000;
/** How long after a refused stream it is tried again. */
const AGAIN_MS = 5000;

export type StreamState = 'connecting' | 'live' | 'lost' | 'absent';

/** What arrives while the page is open, drawn anew every second. */
export function useTraffic(): { traffic: Traffic; state: StreamState; arrived: number } {
  const [traffic] = useState(() => new Traffic());
  const [state, setState] = useState<StreamState>('connecting');
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const arrived = useRef(0);

  useEffect(() => {
    const url = apiUrl('/gateway/traffic');
    let source: EventSource | undefined;
    let again = 0;
    let ended = false;

    const open = () => {
      source = new EventSource(url);
      source.onopen = () => {
        traffic.opened(Date.now());
        setState('live');
      };
      source.addEventListener('request', (event) => {
        const row = parseRequest((event as MessageEvent<string>).data, arrived.current + 1);
        if (row) {
          arrived.current += 1;
          traffic.add(row, Date.now());
        }
      });
      source.onerror = () => {
        setState('lost');
        // A stream that was refused is not tried again by the browser, and does not say why.
        if (source?.readyState === EventSource.CLOSED) {
          void refused();
        }
      };
    };
    const refused = async () => {
      const isAbsent = await request('HEAD', url).then(
        () => false,
        (reason) => reason instanceof ApiError && reason.status === 404,
      );
      if (ended) {
        return;
      }
      if (isAbsent) {
        setState('absent');
      } else {
        again = window.setTimeout(open, AGAIN_MS);
      }
    };

    open();
    const timer = window.setInterval(draw, DRAW_MS);
    return () => {
      ended = true;
      window.clearInterval(timer);
      window.clearTimeout(again);
      source?.close();
    };
  }, [traffic]);

  return { traffic, state, arrived: arrived.current };
}
