/** Changes of a collection as they happen, by the API's event stream. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { apiUrl, post } from '@/api/client';

/** Changes that come close to one another cause one load. */
const SETTLE_MS = 300;

/** Loads a collection's records again whenever one of them changes; whether the stream is open. */
export function useLiveRecords(collection: string): boolean {
  const client = useQueryClient();
  const [live, setLive] = useState(false);
  useEffect(() => {
    const source = new EventSource(apiUrl('/realtime'));
    const topic = `${collection}/*`;
    let timer = 0;
    const refresh = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(
        () => void client.invalidateQueries({ queryKey: ['records', collection, 'list'] }),
        SETTLE_MS,
      );
    };
    source.addEventListener('PB_CONNECT', (event) => {
      const { clientId } = JSON.parse((event as MessageEvent<string>).data);
      post('/realtime', { clientId, subscriptions: [topic] }).then(
        () => setLive(true),
        () => source.close(),
      );
    });
    source.addEventListener(topic, refresh);
    source.onerror = () => setLive(false);
    return () => {
      window.clearTimeout(timer);
      source.close();
    };
  }, [client, collection]);
  return live;
}
