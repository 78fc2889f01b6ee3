const read = async (path) => (await fetch(path)).json();

document.getElementById("banner").textContent = (await read("/api/banner")).text;
for (const { name, price } of await read("/api/articles")) {
  const row = document.createElement("li");
  row.textContent = `${name}: ${price}`;
  document.getElementById("articles").append(row);
}
