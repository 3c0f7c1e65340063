// `/api/realtime` and `/api/oauth2-redirect`, as far as single exchanges go; streams are compared by
// `sdk/realtime.test.mjs`.

const submit = (body) => ({ as: "guest", method: "POST", path: "/api/realtime", body });

export const cases = [
  {
    name: "submissions are checked",
    steps: [
      submit({}),
      submit({ clientId: "" }),
      submit({ clientId: 5 }),
      submit([]),
      submit({ clientId: "nobody" }),
      submit({ clientId: "nobody", subscriptions: [] }),
      submit({ clientId: "nobody", subscriptions: ["users/*"] }),
      submit({ clientId: "nobody", subscriptions: null }),
      submit({ clientId: "nobody", subscriptions: "users/*" }),
      submit({ clientId: "a".repeat(255) }),
      submit({ clientId: "a".repeat(256) }),
      submit({ clientId: "nobody", subscriptions: Array(1000).fill("a") }),
      submit({ clientId: "nobody", subscriptions: Array(1001).fill("a") }),
      submit({ clientId: "nobody", subscriptions: ["a".repeat(2500)] }),
      submit({ clientId: "nobody", subscriptions: ["b", "a".repeat(2501)] }),
    ],
  },
];
