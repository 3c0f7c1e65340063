// `/api/health`, and what is not there.

export const cases = [
  {
    name: "health is told",
    steps: [
      { as: "guest", path: "/api/health" },
      { as: "guest", method: "HEAD", path: "/api/health" },
    ],
  },
  {
    name: "what is not there is told in the envelope",
    steps: [
      {
        as: "guest",
        path: "/api/nothing",
        differs: { reason: "PocketBase looks for a file in pb_public; mito serves no files there", status: 404 },
      },
      { as: "guest", method: "POST", path: "/api/nothing" },
      { as: "guest", path: "/api/collections/nothing/records" },
      { as: "guest", path: "/api/collections/nothing/records/nothing" },
    ],
  },
];
