/** What a new file begins with: one route, and what else could stand there. */

import type { Format } from './text';

const YAML = `# Routes of the gateway, in the format of Traefik's dynamic files.
http:
  routers:
    shop:
      # Host, Path, PathPrefix, Method, Header, Query, ClientIP and more, with &&, || and !
      rule: "Host(\`shop.localhost\`)"
      service: shop
      # entryPoints: [web, websecure]
      # middlewares: [slow-down]

  services:
    shop:
      loadBalancer:
        servers:
          - url: "http://127.0.0.1:9000"

  # middlewares:
  #   slow-down:
  #     rateLimit:
  #       average: 100
  #       burst: 50
`;

const TOML = `# Routes of the gateway, in the format of Traefik's dynamic files.
[http.routers.shop]
# Host, Path, PathPrefix, Method, Header, Query, ClientIP and more, with &&, || and !
rule = "Host(\`shop.localhost\`)"
service = "shop"
# entryPoints = ["web", "websecure"]
# middlewares = ["slow-down"]

[[http.services.shop.loadBalancer.servers]]
url = "http://127.0.0.1:9000"

# [http.middlewares.slow-down.rateLimit]
# average = 100
# burst = 50
`;

export const TEMPLATES: Record<Format, string> = { yaml: YAML, toml: TOML };
