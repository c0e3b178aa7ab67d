use super::*;

fn all(habit: Habit, found: bool, steps: &[&str]) {
    for step in steps {
        let written =
            if step.starts_with("ADD") { (*step).to_owned() } else { format!("RUN /bin/sh -c {step} # buildkit") };
        assert_eq!(habit.found(&Step::read(&written)).is_some(), found, "{habit:?} {step}");
    }
}

#[test]
fn what_is_run_as_it_is_downloaded() {
    all(
        Habit::PipeToShell,
        true,
        &[
            "curl -fsSL https://deb.nodesource.com/setup_20.x | bash -",
            "wget -qO- https://x | sudo -E sh",
            "set -eux; curl x | tee y | sh -s -- --yes",
            "curl x | sh -ex && rm -rf /y",
            "sh -c \"$(curl -fsSL https://x)\" \"\" --unattended",
            "bash <(curl -s https://x)",
            "eval \"$(wget -O- x)\"",
            "curl -sSL https://install.python-poetry.org | python3 -",
            "curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/bin",
            "bash -c 'curl x | bash'",
            "curl x | bash -o pipefail",
            "curl x |\n  sh",
            "curl x | (sh)",
            "bash < <(curl x)",
            "bash <<< \"$(curl x)\"",
            "bash <<EOF\ncurl x | sh\nEOF",
            "cat <<EOF | sh -e\ncurl x | sh\nEOF",
            "bash -c \"sh -c 'curl x | sh'\"",
            "su - app -c 'curl x | sh'",
            "curl x | sh #(nop) CMD x",
        ],
    );
    all(
        Habit::PipeToShell,
        false,
        &[
            "curl -fsSL x | tar -xz",
            "curl x | python3 -c 'import json, sys; print(json.load(sys.stdin))'",
            "curl x -o install.sh && sha256sum -c sums && sh install.sh",
            "curl x | sh -c 'cat > y'",
            "curl x | bash script.sh",
            "echo 'curl x | sh'",
            "apt-get install -y curl bash | cat",
            "cat x | sh; curl y",
            "VERSION=\"$(curl -s x)\" && echo \"$VERSION\"",
            "sh -c \"echo $(curl x)\"",
            "curl x | gpg --dearmor | tee /etc/apt/keyrings/bash",
            "curl x | perl -ne 'print'",
            "cat <<EOF > run.sh\ncurl x | sh\nEOF",
            "sh run.sh <<EOF\ncurl x | sh\nEOF",
            "tar -x < <(curl x)",
            "su app -s /bin/sh",
        ],
    );
}

#[test]
fn sudo_is_a_program_and_no_word() {
    all(
        Habit::Sudo,
        true,
        &[
            "sudo apt-get update",
            "cd x && sudo -E make",
            "x | /usr/bin/sudo tee y",
            "bash -c 'sudo x'",
            "env A=b sudo x",
        ],
    );
    all(
        Habit::Sudo,
        false,
        &[
            "apt-get install -y sudo",
            "echo 'x ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/x",
            "command -v sudo || true",
            "usermod -aG sudo x",
            "rm -rf /usr/bin/sudo",
        ],
    );
}

#[test]
fn upgrades_of_the_whole_distribution() {
    all(
        Habit::DistUpgrade,
        true,
        &[
            "apt-get update && apt-get dist-upgrade -y",
            "apt -y full-upgrade",
            "zypper -n dup",
            "dnf distro-sync",
            "DEBIAN_FRONTEND=noninteractive apt-get -o x=y dist-upgrade",
        ],
    );
    all(
        Habit::DistUpgrade,
        false,
        &["apt-get upgrade -y", "apk upgrade --no-cache", "echo dist-upgrade", "zypper install dupx"],
    );
}

#[test]
fn downloads_that_trust_anyone() {
    all(
        Habit::InsecureDownload,
        true,
        &[
            "curl -k x",
            "curl -fsSLk x",
            "curl --insecure x",
            "wget --no-check-certificate x",
            "apt-get --allow-unauthenticated install y",
            "git -c http.sslVerify=false clone x",
            "apk add --no-cache --allow-untrusted y.apk",
            "dnf install -y --nogpgcheck y",
            "pip3 install --trusted-host pypi.org y",
            "pip install --trusted-host=pypi.org y",
        ],
    );
    all(
        Habit::InsecureDownload,
        false,
        &[
            "curl -okey x",
            "curl --insecurex y",
            "curl -fsSL -K x",
            "ls -k",
            "grep -k x",
            "git clone x",
            "pip install y",
        ],
    );
}

#[test]
fn caches_that_stay_in_the_layer() {
    all(
        Habit::AptCacheLeft,
        true,
        &["apt-get update && apt-get install -y x", "apt-get -qq update; apt-get install x; apt-get clean"],
    );
    all(
        Habit::AptCacheLeft,
        false,
        &[
            "apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*",
            "apt-get update; apt-get install x; apt-get dist-clean",
            "apt-get update && find /var/lib/apt/lists -delete",
            "apt-get install -y update",
            "apt-get purge -y x",
        ],
    );
    all(Habit::ApkCacheLeft, true, &["apk add curl", "apk update && apk add x", "apk -U add x"]);
    all(
        Habit::ApkCacheLeft,
        false,
        &[
            "apk add --no-cache x",
            "apk --no-cache add --virtual .x y",
            "apk add x && rm -rf /var/cache/apk/*",
            "apk del x",
            "apk add --no-network --virtual .x y",
        ],
    );
}

#[test]
fn files_that_come_from_elsewhere() {
    all(Habit::AddUrl, true, &["ADD https://example.com/x /y", "ADD --chown=1:1 http://x/y /z", "ADD HTTPS://X/y /z"]);
    all(Habit::AddUrl, false, &["ADD file:0123 in /", "ADD rootfs.tar.xz /", "ADD c:/x /y", "curl https://x"]);
    let step = Step::read("ADD https://user:hunter2@example.com/x?token=hunter2 /y");
    let found = Habit::AddUrl.found(&step).unwrap();
    assert_eq!(ImageText::plain(&found), "ADD https://example.com/…");
}

#[test]
fn the_documentation_names_every_habit() {
    for Row { name, .. } in TABLE {
        assert!(super::super::RULE.docs.contains(&format!("| `{name}` |")), "{name}");
    }
}
