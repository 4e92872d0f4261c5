import { cannot, lives } from "../cannot.mjs";

export const about = {
  name: "urql",
  packages: ["@urql/exchange-auth", "@urql/core"],
  window: "none",
  configuration:
    "`authExchange` with `didAuthError` and `refreshAuth`; every operation has another variable, or urql would join them.",
  cannot: cannot(
    lives,
    "The exchange answers to errors; it has no token to hand out and no clock.",
  ),
};

export async function load() {
  const { Client, fetchExchange, gql } = await import("@urql/core");
  const { authExchange } = await import("@urql/exchange-auth");
  return ({ endpoint }) => {
    let token;
    let times = new Map();
    // The exchange asks for its token as soon as it is made: as in a page, with the first operation.
    let client;
    const create = () =>
      new Client({
        url: "https://api.test/graphql",
        preferGetMethod: false,
        exchanges: [
          authExchange(async ({ appendHeaders }) => {
            token = (await endpoint.issue()).token;
            return {
              addAuthToOperation: (operation) =>
                appendHeaders(operation, { authorization: `Bearer ${token}` }),
              didAuthError: ({ graphQLErrors }) =>
                graphQLErrors.some(({ extensions }) => extensions?.code === "UNAUTHORIZED"),
              async refreshAuth() {
                token = (await endpoint.issue()).token;
              },
            };
          }),
          fetchExchange,
        ],
        async fetch(_, init) {
          const used = new Headers(init.headers).get("authorization").slice("Bearer ".length);
          const { variables } = JSON.parse(init.body);
          const status = await endpoint.send(used, times.get(variables.id)?.() ?? 0);
          return Response.json(
            status === 200
              ? { data: { token: used } }
              : { errors: [{ message: "refused", extensions: { code: "UNAUTHORIZED" } }] },
          );
        },
      });
    let operations = 0;
    const query = gql`query Q($id: Int) { token(id: $id) }`;
    async function run(tookMs) {
      operations += 1;
      times = new Map(times).set(operations, tookMs);
      client ??= create();
      const { data, error } = await client.query(query, { id: operations }).toPromise();
      if (error) throw error;
      return data.token;
    }
    return {
      get: () => run(() => 0),
      request: async (tookMs) => (await run(tookMs)) && 200,
    };
  };
}
