import { expect, test } from "vitest";
import { createSqlKnowledgeStore } from "../database/knowledge-store.ts";
import type { DocumentRow, SourceRow } from "../database/schema.ts";
import { useStorePlace } from "../database/testing/store-place.ts";
import type { TestDatabaseKind } from "../database/testing/test-databases.ts";

/** What every `KnowledgeStore` promises. */
export function knowledgeStoreContract(kind: TestDatabaseKind): void {
  const place = useStorePlace(kind);
  const store = () => createSqlKnowledgeStore(place.database);
  let made = 0;
  const addSource = async (projectId: string): Promise<SourceRow> => {
    made += 1;
    const row = {
      id: `src_${made}`,
      project_id: projectId,
      path: `/docs/${made}`,
      base_url: null,
      created_at_ms: made,
      updated_at_ms: made,
    };
    await store().saveSource(row);
    return row;
  };
  const document = (source: SourceRow, name: string): DocumentRow => ({
    id: `doc_${source.id}_${name}`,
    source_id: source.id,
    project_id: source.project_id,
    path: `${name}.md`,
    title: name,
    url: null,
    content_hash: `hash of ${name}`,
    markdown: "# ä 😀\n",
    updated_at_ms: 1,
  });
  const sections = (...texts: string[]) =>
    texts.map((text) => ({ headingPath: ["A", "B"], anchor: "b", text }));

  test(`${kind.name}: a document and its sections are read back in order when the database is opened again`, async () => {
    const source = await addSource(await place.newProject());
    const row = document(source, "one");
    await store().saveDocument(row, sections("first", "second", "third"));
    await place.reopen();
    expect(await store().document(row.project_id, row.id)).toEqual(row);
    expect(await store().sections(row.project_id, row.id)).toEqual(
      sections("first", "second", "third"),
    );
    const { markdown: _, ...listed } = row;
    expect(await store().documents(source.project_id, source.id)).toEqual([listed]);
    expect(await store().stamps()).toContainEqual({
      id: row.id,
      project_id: row.project_id,
      content_hash: row.content_hash,
    });
  });

  test(`${kind.name}: a document saved again takes the place of itself, with its new sections alone`, async () => {
    const source = await addSource(await place.newProject());
    const row = document(source, "one");
    await store().saveDocument(row, sections("old", "older"));
    await store().saveDocument({ ...row, content_hash: "new" }, sections("new"));
    expect(await store().sections(row.project_id, row.id)).toEqual(sections("new"));
    expect((await store().document(row.project_id, row.id))?.content_hash).toBe("new");
  });

  test(`${kind.name}: a document that cannot be saved to its last section is as it was`, async () => {
    const source = await addSource(await place.newProject());
    const row = document(source, "one");
    await store().saveDocument(row, sections("old"));
    const broken = [...sections("new"), { headingPath: [], anchor: "", text: null as never }];
    await expect(store().saveDocument({ ...row, content_hash: "new" }, broken)).rejects.toThrow();
    expect(await store().sections(row.project_id, row.id)).toEqual(sections("old"));
    expect((await store().document(row.project_id, row.id))?.content_hash).toBe(row.content_hash);
  });

  test(`${kind.name}: another project sees no source and removes none`, async () => {
    const [here, there] = [await place.newProject(), await place.newProject()];
    const source = await addSource(here);
    await store().saveDocument(document(source, "one"), sections("text"));
    expect(await store().sources(there)).toEqual([]);
    expect(await store().source(there, source.path)).toBeUndefined();
    expect(await store().removeSource(there, source.id)).toBeUndefined();
    expect(await store().sources(here)).toEqual([{ ...source, documents: 1 }]);
  });

  test(`${kind.name}: a source goes with all that is in it, once`, async () => {
    const source = await addSource(await place.newProject());
    const rows = [document(source, "one"), document(source, "two")];
    for (const row of rows) await store().saveDocument(row, sections("text"));
    const gone = await Promise.all([
      store().removeSource(source.project_id, source.id),
      store().removeSource(source.project_id, source.id),
    ]);
    const ids = rows.map(({ id }) => id).sort();
    expect(gone.filter(Boolean).map((each) => each?.sort())).toEqual([ids]);
    expect(await store().sources(source.project_id)).toEqual([]);
    expect(await store().document(source.project_id, ids[0] ?? "")).toBeUndefined();
    expect(await store().sections(source.project_id, ids[0] ?? "")).toEqual([]);
  });

  test(`${kind.name}: documents are removed by name, and a source saved again keeps its first instant`, async () => {
    const source = await addSource(await place.newProject());
    const [one, two] = [document(source, "one"), document(source, "two")];
    for (const row of [one, two]) await store().saveDocument(row, sections("text"));
    await store().removeDocuments(source.project_id, [one.id, "doc_none"]);
    expect((await store().documents(source.project_id, source.id)).map(({ id }) => id)).toEqual([
      two.id,
    ]);
    await store().saveSource({ ...source, base_url: "https://d.example/", updated_at_ms: 99 });
    expect(await store().source(source.project_id, source.path)).toEqual({
      ...source,
      base_url: "https://d.example/",
      updated_at_ms: 99,
    });
  });
}
