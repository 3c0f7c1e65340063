import { Redirect, Route, Switch } from 'wouter';
import ConfirmEmailChange from './ConfirmEmailChange';
import ConfirmPasswordReset from './ConfirmPasswordReset';
import ConfirmVerification from './ConfirmVerification';
import { OAuth2Failure, OAuth2Success } from './OAuth2Redirect';
import { pageOfHash } from './token';

/** The pages that mails and providers lead to. Nobody has to be signed in. */
export default function PublicPages() {
  return (
    <Switch>
      <Route path="/auth/confirm-verification/:token" component={ConfirmVerification} />
      <Route path="/auth/confirm-password-reset/:token" component={ConfirmPasswordReset} />
      <Route path="/auth/confirm-email-change/:token" component={ConfirmEmailChange} />
      <Route path="/auth/oauth2-redirect-success" component={OAuth2Success} />
      <Route path="/auth/oauth2-redirect-failure" component={OAuth2Failure} />
      <Route>
        <Redirect to={pageOfHash(window.location.hash) ?? '/'} replace />
      </Route>
    </Switch>
  );
}
