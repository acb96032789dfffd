"use strict";

const INTERVAL = 2000; // milliseconds from an answer to the next question
const GIVE_UP = 15000; // until an answer has come
const SPAN = 120000, LEAST = 4000; // what charts show, at most and at least
const WIDTH = 120, HEIGHT = 30; // of their coordinates

const TONES = {
	listening: "good", waiting: "good", full: "warn", throttled: "warn",
	suspended: "warn", paused: "warn", retrying: "bad", draining: "idle",
};

const byId = (id) => document.getElementById(id);

// --- texts ---

const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });

const count = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;

function bytes(value) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;
	while (value >= 1024 && unit < units.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${number(value)} ${units[unit]}`;
}

function duration(seconds) {
	const two = (value) => String(Math.floor(value)).padStart(2, "0");
	if (seconds < 60)
		return `${Math.floor(seconds)} s`;
	if (seconds < 3600)
		return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
	if (seconds < 86400)
		return `${Math.floor(seconds / 3600)} h ${two(seconds / 60 % 60)} min`;
	return `${Math.floor(seconds / 86400)} d ${two(seconds / 3600 % 24)} h`;
}

// Without the day if that is today.
function moment(date) {
	const two = (value) => String(value).padStart(2, "0");
	const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
	if (date.toDateString() === new Date().toDateString())
		return time;
	return `${[date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-")} ${time}`;
}

const secondsToMoment = (seconds) => moment(new Date(seconds * 1000));

const place = (address, port) => address === null ? "unknown"
	: address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

// --- nodes: what has not changed is not touched, so that focus, selection and place stay ---

function make(name, attributes = {}) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
	return node;
}

function say(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

function set(node, attribute, value) {
	if (node.getAttribute(attribute) !== value)
		node.setAttribute(attribute, value);
}

// The child at that place, made when it is asked for the first time.
function child(node, index, name, className) {
	if (!node.children[index]) {
		node.append(make(name));
		node.children[index].className = className;
	}
	return node.children[index];
}

// As many children as there are texts.
function list(node, texts, name) {
	texts.forEach((text, index) => say(child(node, index, name, ""), text));
	while (node.children.length > texts.length)
		node.lastElementChild.remove();
}

function sayWithNote(cell, text, note) {
	say(child(cell, 0, "span", ""), text);
	say(child(cell, 1, "span", "note"), note);
}

// --- charts ---

// Values over time; those that are older than SPAN are forgotten.
class Series {
	points = [];

	add(time, value) {
		this.points.push([time, value]);
		while (this.points[0][0] < time - SPAN)
			this.points.shift();
	}

	get last() {
		return this.points.length ? this.points.at(-1)[1] : 0;
	}

	get most() {
		return Math.max(0, ...this.points.map((point) => point[1]));
	}
}

// How fast a counter grows, per second. One that is smaller than before has begun anew.
class Rate extends Series {
	take(time, value) {
		if (this.time !== undefined && time > this.time)
			this.add(time, Math.max(0, value - this.value) * 1000 / (time - this.time));
		this.time = time;
		this.value = value;
	}
}

function makeChart() {
	const space = "http://www.w3.org/2000/svg";
	const svg = document.createElementNS(space, "svg");
	set(svg, "viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
	set(svg, "preserveAspectRatio", "none");
	set(svg, "role", "img");
	for (const name of ["area", "curve"]) {
		const path = document.createElementNS(space, "path");
		set(path, "class", name);
		svg.append(path);
	}
	return svg;
}

function drawChart(svg, series, what) {
	const most = Math.max(series.most, 1);
	const end = series.points.at(-1)?.[0] ?? 0;
	const span = Math.max(end - (series.points[0]?.[0] ?? 0), LEAST);
	const corners = series.points.map(([time, value]) => {
		const x = WIDTH - (end - time) * WIDTH / span;
		return `${x.toFixed(1)} ${(HEIGHT - 1 - value * (HEIGHT - 2) / most).toFixed(1)}`;
	});
	const curve = corners.length > 1 ? `M${corners.join("L")}` : "";
	const start = corners.length > 1 ? corners[0].split(" ")[0] : 0;
	set(svg.children[0], "d", curve && `${curve}V${HEIGHT}H${start}Z`);
	set(svg.children[1], "d", curve);
	set(svg, "aria-label", `${what}: now ${number(series.last)}, at most ${number(series.most)} in ${duration(span / 1000)}`);
}

// --- tables ---

// Columns have a title, perhaps a class, and draw(cell, item).
class Table {
	rows = new Map();

	constructor(name, columns) {
		this.columns = columns;
		this.card = make("div", { class: "card", role: "region", "aria-labelledby": name });
		this.table = make("table", { role: "table" });
		this.caption = this.table.createCaption();
		this.head = this.table.createTHead();
		this.head.setAttribute("role", "rowgroup");
		const row = this.head.insertRow();
		row.setAttribute("role", "row");
		for (const { title, className = "" } of columns) {
			const cell = make("th", { scope: "col", role: "columnheader", class: className });
			cell.textContent = title;
			row.append(cell);
		}
		this.body = this.table.createTBody();
		this.body.setAttribute("role", "rowgroup");
		this.card.append(this.table);
		byId(`${name}-table`).append(this.card);
	}

	makeRow() {
		const row = make("tr", { role: "row" });
		this.columns.forEach(({ title, className = "" }, index) => {
			row.append(index === 0 ? make("th", { scope: "row", role: "rowheader" })
				: make("td", { role: "cell", "data-label": title, class: className }));
		});
		return row;
	}

	// The items by their keys.
	show(items, caption) {
		let index = 0;
		for (const key of this.rows.keys())
			if (!items.has(key)) {
				this.rows.get(key).remove();
				this.rows.delete(key);
			}
		for (const [key, item] of items) {
			const row = this.rows.get(key) ?? this.makeRow();
			this.rows.set(key, row);
			if (this.body.children[index] !== row)
				this.body.insertBefore(row, this.body.children[index] ?? null);
			this.columns.forEach((column, place) => column.draw(row.children[place], item));
			index++;
		}
		say(this.caption, caption);
		this.head.hidden = items.size === 0;
		this.card.tabIndex = this.card.scrollWidth > this.card.clientWidth ? 0 : -1;
	}
}

const services = new Table("services", [
	{ title: "Service", draw: drawName },
	{ title: "State", draw: drawState },
	{ title: "Sockets", draw: drawSockets },
	{ title: "Running", className: "number", draw: (cell, { running }) => say(cell, number(running)) },
	{ title: "Started", className: "number", draw: (cell, { started }) => say(cell, number(started)) },
	{ title: "Per second", className: "rate", draw: drawRate },
	{ title: "Refused", className: "number", draw: (cell, { refusals }) => say(cell, number(refusals)) },
	{ title: "Last failure", draw: drawFailure },
]);

const sessions = new Table("sessions", [
	{ title: "Client", draw: (cell, session) => sayWithNote(cell,
		place(session.client, session.client_port), session.through ? `through ${session.through}` : "") },
	{ title: "Service", draw: (cell, { service }) => say(cell, service) },
	{ title: "State", draw: (cell, { state }) => say(cell, state) },
	{ title: "Process", className: "number", draw: (cell, { pid }) => say(cell, pid ? String(pid) : "\u2013") },
	{ title: "Age", className: "number", draw: (cell, session) => say(cell, duration(session.age_seconds)) },
	{ title: "Idle", className: "number", draw: (cell, session) => sayIfKnown(cell, session.idle_seconds, duration) },
	{ title: "Received", className: "number", draw: (cell, session) => sayIfKnown(cell, session.received_bytes, bytes) },
	{ title: "Sent", className: "number", draw: (cell, session) => sayIfKnown(cell, session.sent_bytes, bytes) },
	{ title: "Session", draw: (cell, { session }) => say(cell, session) },
]);

const refusals = new Table("refusals", [
	{ title: "Reason", draw: (cell, { reason }) => say(cell, reason) },
	{ title: "Services", draw: (cell, { ids }) => say(cell, ids.join(", ")) },
	{ title: "Refused", className: "number", draw: (cell, { total }) => say(cell, number(total)) },
]);

const sources = new Table("sources", [
	{ title: "Source", draw: (cell, { source }) => say(cell, source) },
	{ title: "Sessions", className: "number", draw: (cell, source) => say(cell, number(source.sessions)) },
]);

const bans = new Table("bans", [
	{ title: "Address", draw: (cell, { address }) => say(cell, address) },
	{ title: "Ends in", className: "number", draw: (cell, ban) => say(cell,
		ban.left_seconds === undefined ? "never" : duration(ban.left_seconds)) },
]);

function sayIfKnown(cell, value, text) {
	say(cell, value === undefined ? "\u2013" : text(value));
}

// Of its path the end, which tells entries apart.
function drawName(cell, { id, file, line }) {
	sayWithNote(cell, id, `${file.split("/").slice(-2).join("/")}:${line}`);
	set(cell, "title", `${file}:${line}`);
}

function drawState(cell, { state, why, is_up }) {
	const chip = child(cell, 0, "span", "chip");
	set(chip, "data-tone", TONES[state] ?? (is_up ? "good" : "bad"));
	say(chip, state);
	say(child(cell, 1, "span", "note"), why);
}

function drawSockets(cell, service) {
	const box = child(cell, 0, "div", "");
	service.sockets.forEach((socket, index) => {
		const queue = socket.accept_queue_limit === undefined ? ""
			: `queue ${socket.accept_queue_length} of ${number(socket.accept_queue_limit)}`;
		sayWithNote(child(box, index, "div", "socket"), `${socket.protocol} ${place(socket.address, socket.port)}`,
			socket.is_bound ? queue : `not bound${socket.error ? `: ${socket.error}` : ""}`);
	});
	while (box.children.length > service.sockets.length)
		box.lastElementChild.remove();
}

function drawRate(cell, { id, rate }) {
	say(child(cell, 0, "span", ""), number(rate.last));
	if (!cell.children[1])
		cell.append(makeChart());
	drawChart(cell.children[1], rate, `Connections per second of ${id}`);
}

function drawFailure(cell, { last_failure: failure }) {
	sayWithNote(cell, failure ? failure.text : "", failure ? secondsToMoment(failure.time) : "");
	cell.classList.toggle("blank", !failure);
}

// --- the summary ---

const rates = new Map();
const charts = {
	started: { title: "Connections per second", series: new Series() },
	refused: { title: "Refusals per second", series: new Series() },
	sessions: { title: "Sessions", series: new Series() },
	processes: { title: "Programs", series: new Series() },
};

function rateOf(key, time, value) {
	if (!rates.has(key))
		rates.set(key, new Rate());
	rates.get(key).take(time, value);
	return rates.get(key);
}

function showChart({ title, series, item }, time, value) {
	series.add(time, value);
	say(item.children[1], number(value));
	drawChart(item.children[2], series, title);
}

for (const chart of Object.values(charts)) {
	chart.item = make("li");
	say(child(chart.item, 0, "span", "quiet"), chart.title);
	child(chart.item, 1, "span", "value");
	chart.item.append(makeChart());
	byId("charts").append(chart.item);
}

function showFacts(facts) {
	Object.entries(facts).forEach(([title, text], index) => {
		const pair = child(byId("facts"), index, "div", "");
		say(child(pair, 0, "dt", ""), title);
		say(child(pair, 1, "dd", ""), text);
	});
}

function loadText(load) {
	const outcome = !load.is_in_force ? "refused: the one before is in force"
		: load.is_successful ? "in force" : `in force, with ${count(load.errors, "error", "errors")}`;
	return `Read ${secondsToMoment(load.time)}, ${outcome}`;
}

function showTrouble({ configuration: load, missing }) {
	const lines = load.lines.concat(missing.map((id) => `${id}: could not be started, see the log`));
	byId("trouble").hidden = load.is_successful && missing.length === 0;
	say(byId("trouble-text"), `${loadText(load)}.` +
		(load.not_started ? ` ${count(load.not_started, "service is", "services are")} not started.` : ""));
	list(byId("trouble-lines"), lines, "li");
}

// --- a status ---

// Each item by a key that no other one has, even if two are alike.
function keyed(items, keyOf) {
	const found = new Map();
	for (const item of items) {
		let key = keyOf(item);
		while (found.has(key))
			key += "'";
		found.set(key, item);
	}
	return found;
}

function takeServices(status, time) {
	const inOrder = status.services.toSorted((one, other) => one.is_up - other.is_up);
	const found = keyed(inOrder, ({ id, file, line }) => JSON.stringify([id, file, line]));
	for (const [key, service] of found) {
		service.refusals = Object.values(service.refused).reduce((sum, value) => sum + value, 0);
		service.rate = rateOf(key, time, service.started);
		service.refusalRate = rateOf(`${key} refused`, time, service.refusals);
	}
	for (const key of rates.keys())
		if (!found.has(key.replace(/ refused$/, "")))
			rates.delete(key);
	return found;
}

function refusalsOf(found) {
	const reasons = new Map();
	for (const { id, refused } of found)
		for (const [reason, value] of Object.entries(refused)) {
			const entry = reasons.get(reason) ?? { reason, ids: [], total: 0 };
			entry.total += value;
			entry.ids.push(id);
			reasons.set(reason, entry);
		}
	return new Map([...reasons].sort(([, one], [, other]) => other.total - one.total));
}

function showTables(status, found) {
	const reasons = refusalsOf(found.values());
	const up = status.services.filter((service) => service.is_up).length;
	services.show(found, `${count(found.size, "service", "services")}, ${up} up`);
	sessions.show(keyed(status.sessions, ({ session }) => session), status.sessions.length < status.session_count
		? `${number(status.session_count)} sessions, of which ${number(status.sessions.length)} are shown`
		: count(status.session_count, "session", "sessions"));
	refusals.show(reasons, reasons.size ? "Since the daemon's frontend began" : "Nobody was refused");
	sources.show(keyed(status.top_sources, ({ source }) => source), status.top_sources.length
		? "Those with the most sessions" : "No source has a session");
	bans.show(keyed(status.bans, ({ address }) => address), status.ban_count
		? `${count(status.ban_count, "address is", "addresses are")} banned` : "Nobody is banned");
}

function showSummary(status, time) {
	const sum = (name) => status.services.reduce((total, service) => total + service[name].last, 0);
	showChart(charts.started, time, sum("rate"));
	showChart(charts.refused, time, sum("refusalRate"));
	showChart(charts.sessions, time, status.session_count);
	showChart(charts.processes, time, status.processes);
	showFacts({
		"Version": `${status.version}, process ${status.pid}`,
		"Running for": duration(status.uptime_seconds),
		"Configuration": loadText(status.configuration),
		"Log lines lost": number(status.log_lines_lost),
	});
}

function showState(text, tone, detail) {
	say(byId("state"), text);
	set(byId("state"), "data-tone", tone);
	say(byId("detail"), detail);
	document.title = `${text} \u2013 usherd at ${location.host}`;
}

function showHealth(status) {
	const down = status.services.filter((service) => !service.is_up && service.state !== "draining").length
		+ status.missing.length + status.configuration.not_started;
	if (!status.is_up)
		showState(`${count(down, "service is", "services are")} not up`, "bad", "");
	else if (status.configuration.is_successful)
		showState("Every service is up", "good", "");
	else
		showState("Every service is up", "warn", "but the configuration that was read last has errors");
}

function show(status) {
	const time = performance.now();
	const found = takeServices(status, time);
	showHealth(status);
	showSummary(status, time);
	showTrouble(status);
	showTables(status, found);
	filter();
}

function filter() {
	const words = byId("filter").value.toLowerCase().split(" ");
	for (const row of services.rows.values()) {
		const text = row.textContent.toLowerCase();
		row.hidden = !words.every((word) => text.includes(word));
	}
}

// --- asking ---

let timer, isAsking = false, isPaused = false, failedSince = null, lastAnswer = null;

async function ask() {
	const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(GIVE_UP) })
		.catch(() => { throw new Error("the service of this page does not answer"); });
	if (!answer.ok)
		throw new Error((await answer.text()).trim());
	return answer.json();
}

function showFailure(error) {
	failedSince ??= new Date();
	showState("No answer from usherd", "bad", `since ${moment(failedSince)}: ${error.message}`);
}

function showFreshness() {
	const text = lastAnswer ? `as of ${moment(lastAnswer)}` : "";
	say(byId("fresh"), isPaused ? `paused, ${text}` : text);
	say(byId("pause"), isPaused ? "Resume" : "Pause");
	document.body.classList.toggle("old", failedSince !== null && lastAnswer !== null);
}

async function refresh() {
	clearTimeout(timer);
	if (isAsking)
		return;
	isAsking = true;
	try {
		show(await ask());
		failedSince = null;
		lastAnswer = new Date();
	} catch (error) {
		showFailure(error);
	}
	isAsking = false;
	showFreshness();
	plan();
}

function plan() {
	clearTimeout(timer);
	if (!isPaused && !document.hidden)
		timer = setTimeout(refresh, INTERVAL);
}

byId("pause").addEventListener("click", () => {
	isPaused = !isPaused;
	showFreshness();
	if (!isPaused)
		refresh();
});
say(byId("host"), location.host);
byId("filter").addEventListener("input", filter);
document.addEventListener("visibilitychange", () => document.hidden || isPaused ? clearTimeout(timer) : refresh());
refresh();
