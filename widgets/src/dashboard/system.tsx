// What the application is made of: its services, and the Dask workers with what runs on them.
import { counted, duration, exact } from "../shared/format";
import { memo } from "../shared/memo";
import { useKernelTime } from "./hooks";
import type { Child, DaskWorker } from "./messages";
import type { Session } from "./session";

export const SystemPanel = memo(function SystemPanel(props: {
  readonly session: Session;
  readonly children_: readonly Child[];
  readonly daskWorkers: readonly DaskWorker[];
  readonly version: string;
  readonly dataFolder: string;
}) {
  const now = useKernelTime(props.session, 5000);
  return (
    <>
      <section class="sf-section" aria-label="Supervision tree">
        <h3 class="sf-title">Supervision tree</h3>
        <p class="sf-quiet">
          soundforge_nb {props.version} · {props.dataFolder}
        </p>
        <div class="sf-tree-scroll" tabIndex={0} role="group" aria-label="Services">
          <table class="sf-table">
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col">State</th>
                <th scope="col" class="sf-number">Restarts</th>
                <th scope="col" class="sf-number sf-roomy">Up</th>
                <th scope="col">Last reason</th>
              </tr>
            </thead>
            <tbody>
              {props.children_.map((child) => (
                <tr key={child.name} data-child={child.name}>
                  <th scope="row">{child.name}</th>
                  <td>
                    <span class={`sf-state-key ${child.state === "running" ? "sf-is-completed" : "sf-is-retryable"}`} aria-hidden="true" />
                    {child.state}
                  </td>
                  <td class={`sf-number${child.restarts > 0 ? "" : " sf-zero"}`}>{child.restarts}</td>
                  <td class="sf-number sf-roomy">
                    <Since at={child.since} now={now} />
                  </td>
                  <td class="sf-reason">{child.last_reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section class="sf-section" aria-label="Dask workers">
        <h3 class="sf-title">Dask workers</h3>
        {props.daskWorkers.length === 0 ? (
          <p class="sf-trouble">No Dask worker is there, so no job can start. One that died is started again within seconds; see soundforge logs.</p>
        ) : (
          <div class="sf-tree-scroll" tabIndex={0} role="group" aria-label="Dask workers and their slots">
            <table class="sf-table">
              <thead>
                <tr>
                  <th scope="col">Dask worker</th>
                  <th scope="col">Status</th>
                  <th scope="col">Slots in use</th>
                  <th scope="col" class="sf-number">Memory</th>
                  <th scope="col" class="sf-number">Up</th>
                </tr>
              </thead>
              <tbody>
                {props.daskWorkers.map((worker) => (
                  <tr key={worker.address}>
                    <th scope="row" title={worker.address}>
                      {worker.name || worker.address}
                      <span class="sf-quiet">
                        {" "}
                        {worker.host}, {counted(worker.cores, "core")}
                        {worker.gpus > 0 ? `, ${counted(worker.gpus, "GPU")}` : ""}
                      </span>
                    </th>
                    <td>{worker.status}</td>
                    <td>{worker.slots.map((slot) => `${slot.queue} ${slot.used}/${slot.limit}`).join("   ")}</td>
                    <td class="sf-number">{worker.memory_mb.toLocaleString("en")} MB</td>
                    <td class="sf-number">
                      <Since at={worker.since} now={now} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
});

function Since(props: { readonly at: number | null; readonly now: number }) {
  if (props.at === null) return <span class="sf-quiet">–</span>;
  return <span title={`since ${exact(props.at)}`}>{duration(Math.max(0, props.now - props.at))}</span>;
}
