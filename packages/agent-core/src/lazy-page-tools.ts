import type { PageTools, PageToolsOptions } from "./page-tools.ts";

/** {@link PageTools} whose code is loaded with the first tool: most answers call none. */
export interface LazyPageTools extends PageTools {
  /** Loads the code. To be waited for before `run`. @throws When it cannot be loaded. */
  load(): Promise<PageTools>;
}

/** Creates the tools of one agent. */
export function createLazyPageTools(options: PageToolsOptions): LazyPageTools {
  let loaded: PageTools | undefined;
  const load = async (): Promise<PageTools> => {
    const { createPageTools } = await import("./later.ts");
    loaded ??= createPageTools(options);
    return loaded;
  };
  return {
    load,
    run: async (...round) => (loaded ?? (await load())).run(...round),
    approve: async (...decision) => (loaded ?? (await load())).approve(...decision),
    reject(...decision) {
      if (loaded) loaded.reject(...decision);
      else void load().then((tools) => tools.reject(...decision));
    },
    letGo: (id) => loaded?.letGo(id),
    get held() {
      return loaded?.held ?? { decided: [], undecided: [] };
    },
    forget: () => loaded?.forget(),
  };
}
