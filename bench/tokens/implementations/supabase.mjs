import { cannot, refusals } from "../cannot.mjs";

export const about = {
  name: "Supabase",
  packages: ["@supabase/auth-js"],
  window: "90 s, blocking",
  configuration:
    "`GoTrueClient` with a session in memory whose access token is over, so that `getSession()` asks its server; no ticker, as on a server.",
  cannot: cannot(refusals, "auth-js keeps the session; refusals are its clients' matter."),
};

export async function load() {
  const { GoTrueClient } = await import("@supabase/auth-js");
  return ({ endpoint, now }) => {
    const kept = new Map();
    const session = ({ token, expiresAtMs, lifeMs }) => ({
      access_token: token,
      refresh_token: "refresh",
      token_type: "bearer",
      expires_in: Math.round(lifeMs / 1000),
      expires_at: Math.floor(expiresAtMs / 1000),
      user: { id: "visitor", aud: "authenticated" },
    });
    kept.set(
      "session",
      JSON.stringify(session({ token: "over", expiresAtMs: now() - 1_000, lifeMs: 0 })),
    );
    const client = new GoTrueClient({
      url: "https://auth.test",
      storageKey: "session",
      persistSession: true,
      autoRefreshToken: false,
      skipAutoInitialize: true,
      detectSessionInUrl: false,
      storage: {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => void kept.set(key, value),
        removeItem: (key) => void kept.delete(key),
      },
      fetch: async () => Response.json(session(await endpoint.issue())),
    });
    return {
      async get() {
        const { data, error } = await client.getSession();
        if (error) throw error;
        return data.session?.access_token;
      },
    };
  };
}
