import type { KnowledgeStore } from "../knowledge/knowledge-store.ts";
import type { Database } from "./database.ts";
import { locking } from "./dialect.ts";

/** The knowledge base in SQL. */
export function createSqlKnowledgeStore(database: Database): KnowledgeStore {
  async function removeDocuments(
    db: Database,
    projectId: string,
    ids: readonly string[],
  ): Promise<void> {
    for (const id of ids) {
      await db
        .deleteFrom("chunk")
        .where("project_id", "=", projectId)
        .where("document_id", "=", id)
        .execute();
      await db
        .deleteFrom("document")
        .where("project_id", "=", projectId)
        .where("id", "=", id)
        .execute();
    }
  }

  return {
    sources: async (projectId) => {
      const rows = await database
        .selectFrom("source")
        .selectAll("source")
        .select((select) =>
          select
            .selectFrom("document")
            .whereRef("document.source_id", "=", "source.id")
            .select((inner) => inner.fn.countAll<number>().as("count"))
            .as("documents"),
        )
        .where("project_id", "=", projectId)
        .orderBy("created_at_ms")
        .execute();
      return rows.map((row) => ({ ...row, documents: Number(row.documents ?? 0) }));
    },
    source: (projectId, path) =>
      database
        .selectFrom("source")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("path", "=", path)
        .executeTakeFirst(),
    saveSource: async (row) => {
      await database
        .insertInto("source")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .column("id")
            .doUpdateSet({ base_url: row.base_url, updated_at_ms: row.updated_at_ms }),
        )
        .execute();
    },
    removeSource: (projectId, sourceId) =>
      database.transaction().execute(async (db) => {
        const mine = db
          .selectFrom("source")
          .select("id")
          .where("id", "=", sourceId)
          .where("project_id", "=", projectId);
        const source = await locking(db, mine).executeTakeFirst();
        if (!source) return undefined;
        const documents = await db
          .selectFrom("document")
          .select("id")
          .where("project_id", "=", projectId)
          .where("source_id", "=", sourceId)
          .execute();
        const ids = documents.map(({ id }) => id);
        await removeDocuments(db, projectId, ids);
        await db
          .deleteFrom("source")
          .where("project_id", "=", projectId)
          .where("id", "=", sourceId)
          .execute();
        return ids;
      }),
    documents: (projectId, sourceId) =>
      database
        .selectFrom("document")
        .select([
          "id",
          "source_id",
          "project_id",
          "path",
          "title",
          "url",
          "content_hash",
          "updated_at_ms",
        ])
        .where("project_id", "=", projectId)
        .where("source_id", "=", sourceId)
        .execute(),
    document: (projectId, id) =>
      database
        .selectFrom("document")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("id", "=", id)
        .executeTakeFirst(),
    sections: async (projectId, documentId) => {
      const rows = await database
        .selectFrom("chunk")
        .select(["heading_path", "anchor", "text"])
        .where("project_id", "=", projectId)
        .where("document_id", "=", documentId)
        .orderBy("position")
        .execute();
      return rows.map((row) => ({
        headingPath: JSON.parse(row.heading_path) as string[],
        anchor: row.anchor,
        text: row.text,
      }));
    },
    saveDocument: (row, sections) =>
      database.transaction().execute(async (db) => {
        await db
          .deleteFrom("chunk")
          .where("project_id", "=", row.project_id)
          .where("document_id", "=", row.id)
          .execute();
        await db
          .insertInto("document")
          .values(row)
          .onConflict((conflict) => {
            const { id: _, ...changes } = row;
            return conflict.column("id").doUpdateSet(changes);
          })
          .execute();
        for (const [position, section] of sections.entries()) {
          await db
            .insertInto("chunk")
            .values({
              document_id: row.id,
              project_id: row.project_id,
              position,
              heading_path: JSON.stringify(section.headingPath),
              anchor: section.anchor,
              text: section.text,
            })
            .execute();
        }
      }),
    removeDocuments: (projectId, ids) =>
      database.transaction().execute((db) => removeDocuments(db, projectId, ids)),
    stamps: () =>
      database.selectFrom("document").select(["id", "project_id", "content_hash"]).execute(),
  };
}
