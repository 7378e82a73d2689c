"""Endings of graph files: those that are read, and those that are known, with the way out."""

GRAPH_ENDINGS = (
    ".graphml",
    ".gml",
    ".gexf",
    ".xml",
    ".net",
    ".paj",
    ".json",
    ".cyjs",
    ".edges",
    ".edgelist",
    ".ncol",
    ".mtx",
)
"""Of files that are graphs whatever is asked about them."""

TABLE_ENDINGS = (".csv", ".tsv", ".txt")
"""Of files that are graphs if a solver of graphs is asked about them."""

_NETWORKX = "read it with networkx, and save it by networkx.write_graphml(graph, 'graph.graphml')"
UNREAD = {
    ".dot": "convert it by gv2gml file.dot > file.gml, or in networkx with nx_pydot.read_dot and write_graphml",
    ".gv": "convert it by gv2gml file.gv > file.gml, or in networkx with nx_pydot.read_dot and write_graphml",
    ".graphmlz": "it is GraphML in gzip: call it .graphml.gz",
    ".gpickle": _NETWORKX,
    ".g6": _NETWORKX,
    ".s6": _NETWORKX,
    ".adjlist": "read it with networkx.read_adjlist, and save it by networkx.write_graphml(graph, 'graph.graphml')",
    ".leda": _NETWORKX,
    ".tlp": "save it as GML or GEXF in Tulip",
    ".tgf": "save it as GraphML in yEd",
    ".gdf": "save it as GEXF in Gephi",
    ".gephi": "save it as GEXF in Gephi",
    ".cys": "export the network as .cyjs or .graphml in Cytoscape",
    ".cx": "export the network as .cyjs in Cytoscape",
    ".xgmml": "export the network as .cyjs or .graphml in Cytoscape",
    ".sif": "write a line source,target,weight for each edge into a .csv",
    ".lgl": "save it as GraphML in igraph",
    ".dl": "save it as Pajek .net in UCINET",
    ".osm": "read it with osmnx.graph_from_xml, and save it by osmnx.save_graphml",
    ".pbf": "read it with pyrosm or osmnx, and save it by osmnx.save_graphml",
    ".gpkg": "read it with osmnx.graph_from_gdfs, and save it by osmnx.save_graphml",
    ".shp": "read it with momepy.gdf_to_nx, and save it by networkx.write_graphml",
    ".geojson": "read it with momepy.gdf_to_nx, and save it by networkx.write_graphml",
}
"""Of graph files that are not read, with what to do."""
