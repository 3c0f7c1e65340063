import { Button, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { ErrorState } from '@/components/states';
import { useConfirm } from './confirm';
import { Done, LinkPage } from './Link';
import type { LinkToken } from './token';

/** Confirms that an e-mail address is the account's. */
export default function ConfirmVerification() {
  return (
    <LinkPage title="Confirm your address">
      {(token, read) => <Confirm token={token} read={read} />}
    </LinkPage>
  );
}

function Confirm({ token, read }: { token: string; read: LinkToken }) {
  const confirm = useConfirm('confirm-verification', read.collectionId);
  const confirmation = useMutation({ mutationFn: () => confirm({ token }) });
  if (confirmation.isSuccess) {
    return <Done>The address {read.email} is confirmed. You can close this page.</Done>;
  }
  return (
    // By a button: mail programs open links to look at them.
    <Stack>
      <Text size="sm">Is {read.email || 'this address'} yours?</Text>
      {confirmation.error && <ErrorState error={confirmation.error} />}
      <Button loading={confirmation.isPending} onClick={() => confirmation.mutate()}>
        Yes, confirm it
      </Button>
    </Stack>
  );
}
