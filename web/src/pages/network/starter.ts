import { post } from '@/api/client';
import { useAction } from '@/components/actions';

/** Imports the content starter: collections, buckets, pipeline, trigger and sample texts. */
export function useImportStarter() {
  return useAction<void>({
    run: () => post('/starter', { name: 'content' }),
    done: () => 'The content starter is imported. Its sample texts are being processed now.',
    refresh: [['records'], ['objects'], ['queue'], ['ai'], ['notifications']],
  });
}
