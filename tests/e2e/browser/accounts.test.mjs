// Who may sign in and how: providers, sessions, and a second step after the password.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ADMIN, openPanel, signIn } from "./panel.mjs";

let panel;
let page;

before(async () => {
  panel = await openPanel("accounts");
  page = panel.page;
});

after(() => panel?.stop());

/** Opens a part of how accounts of a collection sign in. */
async function openSignIn(collection, part) {
  await panel.open(`/schema/${collection}`);
  await page.getByRole("tab", { name: "Sign-in" }).click();
  const section = page.getByRole("button", { name: new RegExp(`^${part}`) });
  await section.click();
  return page.getByRole("region", { name: new RegExp(`^${part}`) });
}

async function save(collection) {
  await page.getByRole("button", { name: "Save changes" }).click();
  await panel.said(`The collection ${collection} is saved.`);
  await page.getByText(`The collection ${collection} is saved.`).first().waitFor({ state: "detached" });
}

const api = (path) => `http://${panel.platform.ready.services.api}/api/collections/${path}`;

test("a provider is added, checked, saved and removed", async () => {
  await panel.open("/schema?type=auth");
  await page.getByLabel("Name", { exact: true }).fill("members");
  await page.getByRole("button", { name: "Create the collection" }).click();
  await panel.said("The collection members is saved.");

  let providers = await openSignIn("members", "OAuth2 and OpenID");
  await providers.getByRole("button", { name: "Add a provider" }).click();
  await page.getByRole("menuitem", { name: /^GitHub/ }).click();
  await page.getByRole("button", { name: "Save changes" }).click();
  await providers.getByText("Cannot be blank.").first().waitFor();
  await panel.shot("provider-error");
  await providers.getByLabel("Client id").fill("the-client");
  await providers.getByLabel("Client secret").fill("the-secret");
  await providers.getByLabel("Shown as").fill("The forge");
  await save("members");

  const { oauth2 } = await (await fetch(api("members/auth-methods"))).json();
  assert.equal(oauth2.enabled, true);
  assert.deepEqual(oauth2.providers.map(({ name, displayName }) => [name, displayName]), [["github", "The forge"]]);
  assert.match(oauth2.providers[0].authURL, /client_id=the-client/);

  // The secret does not come back, and stays while other values change.
  providers = await openSignIn("members", "OAuth2 and OpenID");
  await providers.getByText("The forge").waitFor();
  await providers.getByRole("button", { name: "Edit" }).click();
  assert.equal(await providers.getByLabel("Client secret").inputValue(), "");
  assert.equal(await providers.getByLabel("Client secret").getAttribute("placeholder"), "unchanged");
  await providers.getByLabel("Client id").fill("another-client");
  await panel.shot("provider");
  await save("members");

  // What was open stays open when it is saved.
  await providers.getByRole("button", { name: "Remove" }).click();
  await providers.getByText("The forge").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Save changes" }).click();
  await panel.said("The collection members is saved.");
  const after = await (await fetch(api("members/auth-methods"))).json();
  assert.deepEqual(after.oauth2.providers, []);
});

/** Signs the administrator in in another browser, which calls itself by this name. */
async function signInElsewhere(userAgent) {
  const elsewhere = await panel.newPage({ userAgent });
  await elsewhere.goto(`${panel.origin}/`);
  await signIn(elsewhere);
  await elsewhere.getByRole("heading", { name: "Overview" }).waitFor();
  return elsewhere;
}

/** Goes on in a browser whose session has been ended. */
async function isSignedOut(elsewhere) {
  await elsewhere.goto(`${panel.origin}/records`);
  await elsewhere.getByRole("heading", { name: "Sign in" }).waitFor();
  await elsewhere.context().close();
}

test("sessions are listed, one is ended, then all others", async () => {
  const firefox = await signInElsewhere("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
  const walker = await signInElsewhere("walker/1.0");

  await panel.open("/accounts?collection=_superusers");
  await page.getByRole("link", { name: ADMIN.email }).click();
  const sessions = page.getByRole("table", { name: "Sessions" });
  await sessions.getByText("this one").waitFor();
  await sessions.getByText("Firefox").waitFor();
  await panel.shot("sessions");
  await sessions.getByRole("button", { name: /^End the session of Firefox/ }).click();
  await panel.said("The session is ended.");
  await sessions.getByText("Firefox").waitFor({ state: "detached" });
  await isSignedOut(firefox);

  await page.getByRole("button", { name: "End all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End all others" }).click();
  await panel.said("All other sessions are ended.");
  await isSignedOut(walker);
  await page.reload();
  await sessions.getByText("this one").waitFor();
  assert.equal(await page.getByRole("button", { name: "End all others" }).count(), 0, "there are no others");
});

test("a second step follows the password where it is asked for", async () => {
  const codes = await openSignIn("_superusers", "One-time code by e-mail");
  await codes.getByLabel("Accounts may sign in with a code").check();
  await page.getByRole("button", { name: /^Second factor/ }).click();
  await page.getByLabel("Ask for a second way to sign in").check();
  await panel.shot("second-factor");
  await page.getByRole("button", { name: "Save changes" }).click();
  await panel.said("The collection _superusers is saved.");

  const stranger = await panel.newPage({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await stranger.goto(`${panel.origin}/sql`);
  await signIn(stranger);
  await stranger.getByRole("heading", { name: "One more step" }).waitFor();
  await panel.shot("second-step", stranger);
  const width = await stranger.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `nothing sticks out at 360 px: ${width}`);
  await stranger.getByLabel("Code").fill("00000000");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await stranger.getByText("This code is wrong, or it has expired.").waitFor();
  await panel.shot("second-step-wrong", stranger);
  await mailedCode(1);
  await stranger.getByRole("button", { name: "Send another code" }).click();
  const code = await mailedCode(2);
  await stranger.getByLabel("Code").fill(code);
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await stranger.getByRole("heading", { name: "SQL" }).waitFor();
  await stranger.context().close();
});

/** The code in the newest mail, as soon as that many have come. */
async function mailedCode(count) {
  await panel.open("/notifications/mailbox");
  await page.getByRole("link", { name: /^Your code for / }).nth(count - 1).waitFor();
  return page.evaluate(async () => {
    const read = async (path) => (await fetch(`/_mito/api/notifications/mailbox${path}`)).json();
    const newest = (await read("")).items.find(({ subject }) => subject.startsWith("Your code for "));
    const { text } = await read(`/${encodeURIComponent(newest.id)}`);
    return /\b\d{8}\b/.exec(text)[0];
  });
}
