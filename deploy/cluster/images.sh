# The images that a node runs: one-program images of the node's own pods, the shop's, and a broker and a database under the names that
# the chart asks for. Nothing is pulled. Sourced by scripts/cluster.

# one_program NAME PROGRAM PATH: an image that is one static program, made with tar alone and brought to the node.
one_program() {
    ! enter ctr -n k8s.io images ls -q | grep -qx "$1" || return 0
    local work layer config manifest
    work=$(mktemp -d "$home/image.XXXXXX")
    mkdir -p "$work/root$(dirname "$3")" "$work/oci/blobs/sha256"
    install -m 755 "$2" "$work/root$3"
    tar -C "$work/root" --owner=0 --group=0 --sort=name -cf "$work/blob" .
    layer=$(blob "$work")
    echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Entrypoint\":[\"$3\"]},
        \"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:${layer%% *}\"]}}" >"$work/blob"
    config=$(blob "$work")
    echo "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",
        \"config\":$(descriptor image.config.v1+json "$config"),\"layers\":[$(descriptor image.layer.v1.tar "$layer")]}" >"$work/blob"
    manifest=$(descriptor image.manifest.v1+json "$(blob "$work")")
    echo '{"imageLayoutVersion":"1.0.0"}' >"$work/oci/oci-layout"
    echo "{\"schemaVersion\":2,\"manifests\":[${manifest%\}},\"annotations\":{\"io.containerd.image.name\":\"$1\"}}]}" >"$work/oci/index.json"
    tar -C "$work/oci" -cf "$work/image.tar" .
    enter ctr -n k8s.io images import "$work/image.tar" >/dev/null
    rm -rf "$work"
}

# blob FOLDER: puts FOLDER/blob where an archive of images has it; its digest and its size.
blob() {
    local sum size
    sum=$(sha256sum "$1/blob" | cut -d' ' -f1) size=$(stat -c %s "$1/blob")
    mv "$1/blob" "$1/oci/blobs/sha256/$sum"
    echo "$sum $size"
}

descriptor() {
    echo "{\"mediaType\":\"application/vnd.oci.$1\",\"digest\":\"sha256:${2%% *}\",\"size\":${2##* }}"
}

# load IMAGE…: brings images to the node, under the names by which containerd looks for them.
load() {
    local image archive
    archive=$(mktemp -d "$home/image.XXXXXX")/image.tar
    for image in "$@"; do
        rm -f "$archive"
        stored buildah push --quiet "$image" "docker-archive:$archive:$image" >/dev/null
        enter ctr -n k8s.io images import "$archive" >/dev/null
    done
    rm -rf "$(dirname "$archive")"
}

# What buildah knows no other name for.
containers=/var/lib/containers

# buildah keeps what it makes below the node's folder, and runs nothing.
storage() {
    cat >"$home/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$home/storage"
runroot = "$home/storage.run"
CONF
    export CONTAINERS_STORAGE_CONF=$home/storage.conf BUILDAH_ISOLATION=chroot
    mkdir -p "$containers" "$home/containers"
}

# stored COMMAND…: runs what uses buildah, which finds the node's folder under the name it insists on.
stored() {
    unshare --mount bash -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' - "$home/containers" "$containers" "$@"
}

# shop_images FOLDER-OF-PROGRAMS VERSION [PROGRAM…]: all by default.
shop_images() {
    local names
    export IMAGE_BINARIES=$1 IMAGE_VERSION=$2 IMAGE_BUILDER=buildah IMAGE_OPTIONS=--quiet
    shift 2
    stored "$root/scripts/images" --prebuilt "$@" >/dev/null
    mapfile -t names < <("$root/scripts/images" --list "$@")
    load "${names[@]}"
}

# image NAME FOLDER: an image of a folder's root/, by the Dockerfile on standard input.
image() { stored buildah build --quiet --file - --tag "$1" "$2" >/dev/null; }

# chart_image COMPONENT: what the chart has for a component that is not the shop's.
chart_image() {
    awk -v of="^$1:" '$0 ~ of { on = 1 } on && /image: \{repository/ { gsub(/[{},]/, ""); print $3 ":" $5; exit }' \
        "$root/helm/tradewind/values.yaml"
}

# The program that the tests use, as the broker's image.
broker_image() {
    local name work
    name=$(chart_image nats) work=$(mktemp -d "$home/image.XXXXXX")
    "$root/deploy/image/rootfs" "$("$root/scripts/tools" nats)" "$work"
    install -D "$work/root/app" "$work/root/usr/local/bin/nats-server"
    image "$name" "$work" <<<$'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin\nENTRYPOINT ["nats-server"]'
    rm -rf "$work"
    load "$name"
}

# Debian's PostgreSQL, laid out as the official image is: its user, its paths, and an entrypoint that makes the data directory.
database_image() {
    local name folder=$home/postgres
    name=$(chart_image postgres)
    if [[ ! -e $folder/made ]]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        debootstrap --variant=minbase --include=postgresql bookworm "$folder/root" >"$log/debootstrap.log" 2>&1 \
            || die "debootstrap failed; see $log/debootstrap.log"
        sed -i '/^postgres:/d' "$folder"/root/etc/{passwd,group}
        echo 'postgres:x:999:999::/var/lib/postgresql:/bin/sh' >>"$folder/root/etc/passwd"
        echo 'postgres:x:999:' >>"$folder/root/etc/group"
        rm -rf "$folder/root"/{var/cache/apt,var/lib/apt/lists,usr/share/doc,usr/share/man,usr/share/locale,proc,sys,dev}/*
        touch "$folder/made"
    fi
    install -m 755 "$root/deploy/cluster/postgres-entrypoint" "$folder/root/usr/local/bin/docker-entrypoint.sh"
    image "$name" "$folder" <<DOCKERFILE
FROM scratch
COPY root /
ENV PATH=/usr/local/bin:$(cd "$folder/root" && ls -d usr/lib/postgresql/*/bin | sed 's#^#/#'):/usr/bin:/bin LANG=C.UTF-8
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
DOCKERFILE
    load "$name"
}

images() {
    [[ -x $target/tradewind ]] || die "$target/tradewind is not there: 'make build' makes it"
    storage
    step "images of the shop" shop_images "$target" "$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")"
    step "image of the broker" broker_image
    step "image of the database" database_image
}
