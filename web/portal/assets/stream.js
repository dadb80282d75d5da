// The one stream of all tabs. A browser opens six connections to a host, for all its tabs and windows together; a stream
// for each of them would soon leave none to load a page with. This shared worker holds a single stream while any tab
// listens, and tells each what moved since that tab's page was made.

const ports = new Set();
const recent = []; // the newest messages, for pages that come later
const kept = 100;
let source = null;
let last = 0;
let late = 0;
let lost = false;

const tell = (message) => ports.forEach((p) => p.postMessage(message));

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.after === undefined) {
      ports.delete(port);
      if (!ports.size) close();
      return;
    }
    ports.add(port);
    if (!source) return open(data.after);
    if (lost) port.postMessage({ lost });
    if (recent.length === kept && recent[0].id > data.after) port.postMessage({ id: last, missed: true, topics: [] });
    recent.filter((m) => m.id > data.after).forEach((m) => port.postMessage(m));
  };
};

function open(after) {
  source = new EventSource("/live?after=" + after);
  source.addEventListener("moved", (e) => {
    last = Number(e.lastEventId);
    const message = { id: last, ...JSON.parse(e.data) };
    recent.push(message);
    recent.splice(0, recent.length - kept);
    tell(message);
  });
  source.onerror = () => {
    late ||= setTimeout(() => tell({ lost: (lost = true) }), 1500);
  };
  source.onopen = () => {
    clearTimeout(late);
    late = 0;
    if (!lost) return;
    recent.length = 0; // the program may be another one: its numbers begin anew
    tell({ lost: (lost = false) });
  };
}

function close() {
  source?.close();
  source = null;
  recent.length = 0;
  clearTimeout(late);
  late = 0;
  lost = false;
}
