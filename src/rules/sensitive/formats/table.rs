//! The table of known forms.
//!
//! Sources: the issuers' documentation, and the rule sets of gitleaks (config/gitleaks.toml), Trivy (pkg/fanal/secret), detect-secrets
//! and Nosey Parker, read in 2026. What is public by design (Stripe's `pk_…`, public keys) is left out.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use flate2::Crc;

use super::Format;
use crate::rules::sensitive::values::entropy;

pub(super) static FORMATS: [Format; 67] = [
    Format::new(
        "aws-access-key-id",
        "an AWS access key id",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        no_example,
    ),
    Format::new(
        "github-token",
        "a GitHub token",
        &["ghp_", "gho_", "ghu_", "ghs_"],
        r"gh[pous]_[0-9A-Za-z]{36}|ghs_[0-9]+_eyJ[0-9A-Za-z_.-]{40,}",
        github_checksum,
    ),
    Format::new("github-refresh-token", "a GitHub refresh token", &["ghr_"], "ghr_[0-9A-Za-z]{36,76}", random),
    Format::new(
        "github-fine-grained-token",
        "a GitHub token",
        &["github_pat_"],
        "github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}",
        any,
    ),
    Format::new(
        "gitlab-token",
        "a GitLab token",
        &[
            "glpat-", "glrt-", "gldt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-",
            "glffct-", "glrtr-", "glwt-",
        ],
        "gl(?:pat|rtr?|dt|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[0-9A-Za-z_=.-]{20,300}",
        random,
    ),
    Format::new(
        "gitlab-registration-token",
        "a token that registers GitLab runners",
        &["GR1348941"],
        "GR1348941[0-9A-Za-z_-]{20}",
        random,
    ),
    Format::new(
        "slack-token",
        "a Slack token",
        &["xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
        r"xox[abcdeoprs](?:\.xox[bp])?-[0-9A-Za-z%-]{20,255}",
        random,
    ),
    Format::new(
        "slack-app-token",
        "a Slack app token",
        &["xapp-"],
        "xapp-[0-9]-[A-Z0-9]{8,}-[0-9]{8,}-[0-9a-z]{32,}",
        any,
    ),
    Format::new(
        "slack-webhook",
        "the address of a Slack webhook",
        &["hooks.slack.com/"],
        "hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Z0-9]{8,}/[0-9A-Za-z/+]{20,80}",
        random,
    ),
    Format::new(
        "stripe-key",
        "a Stripe secret key",
        &["sk_live_", "sk_test_", "sk_prod_", "sk_org_", "rk_live_", "rk_test_", "rk_prod_"],
        "[sr]k_(?:live|test|prod|org_live|org_test)_[0-9A-Za-z]{16,128}",
        random,
    ),
    Format::new(
        "stripe-webhook-secret",
        "a Stripe webhook secret",
        &["whsec_"],
        "whsec_[0-9A-Za-z+/]{32,64}={0,2}",
        random,
    ),
    Format::new("google-api-key", "a Google API key", &["AIza"], "AIza[0-9A-Za-z_-]{35}", random),
    Format::new(
        "google-client-secret",
        "a Google OAuth client secret",
        &["GOCSPX-"],
        "GOCSPX-[0-9A-Za-z_-]{28}",
        random,
    ),
    Format::new("google-access-token", "a Google access token", &["ya29."], r"ya29\.[0-9A-Za-z_-]{20,}", random),
    Format::new("npm-token", "an npm token", &["npm_"], "npm_[0-9A-Za-z]{36}", random),
    Format::new(
        "pypi-token",
        "a PyPI token",
        &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"],
        "pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[0-9A-Za-z_-]{50,}",
        any,
    ),
    Format::new("rubygems-key", "a RubyGems key", &["rubygems_"], "rubygems_[0-9a-f]{48}", random),
    Format::new("crates-io-token", "a crates.io token", &["cio"], "cio[0-9A-Za-z]{32}", random),
    Format::new(
        "docker-hub-token",
        "a Docker Hub token",
        &["dckr_pat_", "dckr_oat_"],
        "dckr_[po]at_[0-9A-Za-z_-]{27,64}",
        random,
    ),
    Format::new(
        "azure-storage-key",
        "an Azure storage key",
        &["AccountKey="],
        "AccountKey=[0-9A-Za-z+/]{86}==",
        random,
    ),
    Format::new(
        "azure-shared-access-key",
        "an Azure shared access key",
        &["SharedAccessKey="],
        "SharedAccessKey=[0-9A-Za-z+/]{43}=",
        random,
    ),
    Format::new(
        "azure-shared-access-signature",
        "an Azure shared access signature",
        &["sig="],
        "sig=[0-9A-Za-z%]{40,120}(?:%3[Dd]|=)",
        random,
    ),
    Format::after(
        4,
        "azure-client-secret",
        "an Azure client secret",
        &["Q~"],
        r"[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}",
        random,
    ),
    Format::after(
        76,
        "azure-devops-token",
        "an Azure DevOps token",
        &["AZDO"],
        "[0-9A-Za-z]{76}AZDO[0-9A-Za-z]{4}",
        random,
    ),
    Format::after(
        42,
        "azure-registry-password",
        "a password of an Azure container registry",
        &["+ACR"],
        r"[0-9A-Za-z+/]{42}\+ACR[0-9A-Za-z]{6}",
        random,
    ),
    Format::new("aws-bedrock-key", "an Amazon Bedrock key", &["ABSK"], "ABSK[0-9A-Za-z+/]{109,269}={0,2}", random),
    Format::new("nuget-key", "a NuGet key", &["oy2"], "oy2[0-9a-z]{43}", random),
    Format::new("sonarqube-token", "a SonarQube token", &["sqp_", "squ_", "sqa_"], "sq[pua]_[0-9a-f]{40}", random),
    Format::new(
        "discord-webhook",
        "the address of a Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[0-9A-Za-z_-]{60,80}",
        random,
    ),
    Format::new(
        "square-token",
        "a Square token",
        &["sq0atp-", "sq0csp-"],
        "sq0(?:atp-[0-9A-Za-z_-]{22}|csp-[0-9A-Za-z_-]{43})",
        random,
    ),
    Format::new("openrouter-key", "an OpenRouter key", &["sk-or-v1-"], "sk-or-v1-[0-9a-f]{64}", random),
    Format::new("langsmith-key", "a LangSmith key", &["lsv2_"], "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}", random),
    Format::new(
        "dynatrace-token",
        "a Dynatrace token",
        &["dt0c01.", "dt0s01.", "dt0s02."],
        r"dt0[cs]0[12]\.[A-Z2-7]{24}\.[A-Z2-7]{64}",
        random,
    ),
    Format::new("sendgrid-key", "a SendGrid key", &["SG."], r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}", random),
    Format::new("twilio-key", "a Twilio key", &["SK"], "SK[0-9a-f]{32}", random),
    Format::new("mailgun-key", "a Mailgun key", &["key-"], "key-[0-9a-f]{32}", random),
    Format::new(
        "hugging-face-token",
        "a Hugging Face token",
        &["hf_", "api_org_"],
        "(?:hf|api_org)_[0-9A-Za-z]{34}",
        random,
    ),
    Format::new(
        "anthropic-key",
        "an Anthropic key",
        &["sk-ant-"],
        "sk-ant-[a-z]{3,5}[0-9]{2}-[0-9A-Za-z_-]{80,200}",
        random,
    ),
    // The middle is `OpenAI` in base64.
    Format::new(
        "openai-key",
        "an OpenAI key",
        &["sk-"],
        "sk-(?:(?:proj|svcacct|admin|service)-)?[0-9A-Za-z_-]{16,100}T3BlbkFJ[0-9A-Za-z_-]{16,100}",
        random,
    ),
    Format::new("groq-key", "a Groq key", &["gsk_"], "gsk_[0-9A-Za-z]{52}", random),
    Format::new("xai-key", "an xAI key", &["xai-"], "xai-[0-9A-Za-z]{80}", random),
    Format::new("replicate-token", "a Replicate token", &["r8_"], "r8_[0-9A-Za-z]{37}", random),
    Format::new("perplexity-key", "a Perplexity key", &["pplx-"], "pplx-[0-9A-Za-z]{48}", random),
    Format::new("nvidia-key", "an NVIDIA API key", &["nvapi-"], "nvapi-[0-9A-Za-z_-]{64}", random),
    Format::new(
        "digitalocean-token",
        "a DigitalOcean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        "do[por]_v1_[0-9a-f]{64}",
        random,
    ),
    Format::new(
        "shopify-token",
        "a Shopify token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        random,
    ),
    Format::new("vault-token", "a Vault token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[0-9A-Za-z_-]{24,300}", random),
    Format::after(
        14,
        "terraform-token",
        "a Terraform token",
        &[".atlasv1."],
        r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70}",
        random,
    ),
    Format::new(
        "doppler-token",
        "a Doppler token",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."],
        r"dp\.(?:pt|ct|sa|st(?:\.[a-z0-9_-]{2,35})?)\.[0-9A-Za-z]{40,44}",
        random,
    ),
    Format::new(
        "grafana-token",
        "a Grafana token",
        &["glsa_", "glc_eyJ"],
        "glsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8}|glc_eyJ[0-9A-Za-z+/]{32,400}={0,2}",
        random,
    ),
    Format::new("databricks-token", "a Databricks token", &["dapi"], "dapi[0-9a-f]{32}(?:-[0-9])?", random),
    Format::new("linear-key", "a Linear key", &["lin_api_"], "lin_api_[0-9A-Za-z]{40}", random),
    Format::new("postman-key", "a Postman key", &["PMAK-"], "PMAK-[0-9a-f]{24}-[0-9a-f]{34}", random),
    Format::new("new-relic-key", "a New Relic key", &["NRAK-"], "NRAK-[0-9A-Z]{27}", random),
    Format::new(
        "sentry-token",
        "a Sentry token",
        &["sntrys_eyJ", "sntryu_"],
        "sntrys_eyJ[0-9A-Za-z+/=_]{40,400}|sntryu_[0-9a-f]{64}",
        random,
    ),
    Format::new(
        "tailscale-key",
        "a Tailscale key",
        &["tskey-"],
        "tskey-(?:auth|api|client|scim|webhook)-[0-9A-Za-z]{6,32}-[0-9A-Za-z]{16,64}",
        random,
    ),
    Format::new(
        "onepassword-token",
        "a 1Password service account token",
        &["ops_eyJ"],
        "ops_eyJ[0-9A-Za-z+/]{200,}={0,3}",
        any,
    ),
    Format::new("alibaba-access-key-id", "an Alibaba Cloud access key id", &["LTAI"], "LTAI[0-9A-Za-z]{20}", random),
    Format::new(
        "atlassian-token",
        "an Atlassian token",
        &["ATATT3", "ATCTT3"],
        "AT[AC]TT3[0-9A-Za-z_=-]{180,190}",
        random,
    ),
    Format::new(
        "artifactory-key",
        "an Artifactory key",
        &["AKCp", "cmVmdGtu"],
        "AKCp[0-9A-Za-z]{69}|cmVmdGtu[0-9A-Za-z]{56}",
        random,
    ),
    Format::new("pulumi-token", "a Pulumi token", &["pul-"], "pul-[0-9a-f]{40}", random),
    Format::new(
        "supabase-token",
        "a Supabase token",
        &["sbp_", "sb_secret_"],
        "sbp_[0-9a-f]{40}|sb_secret_[0-9A-Za-z_-]{31}",
        random,
    ),
    Format::new("netlify-token", "a Netlify token", &["nfp_"], "nfp_[0-9A-Za-z]{40}", random),
    Format::new(
        "age-key",
        "an age secret key",
        &["AGE-SECRET-KEY-1"],
        "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        any,
    ),
    Format::new(
        "jwt",
        "a JSON Web Token",
        &["eyJ"],
        r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}(?:\.[0-9A-Za-z_-]*)?",
        is_jwt,
    ),
    Format::new(
        "private-key",
        "a private key",
        &["-----BEGIN "],
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[0-9A-Za-z+/=:,.()\s\\-]{32,}",
        any,
    ),
    // `-----BEGIN …` in base64, as variables hold it.
    Format::new(
        "private-key-base64",
        "a private key in base64",
        &["LS0tLS1CRUdJTi"],
        "LS0tLS1CRUdJTi[0-9A-Za-z+/]{64,}={0,2}",
        is_private_key,
    ),
];

fn any(_: &str) -> bool {
    true
}

/// Not one of a documentation, such as `AKIAIOSFODNN7EXAMPLE`.
fn no_example(text: &str) -> bool {
    !text.ends_with("EXAMPLE")
}

/// Not one that somebody typed to show the form.
fn random(text: &str) -> bool {
    entropy(text) >= 3.0
}

/// The last six characters are the CRC-32 of the thirty before them, in base 62 (GitHub's documentation of its token formats).
fn github_checksum(text: &str) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((_, token)) = text.split_once('_').filter(|(_, token)| token.len() == 36) else { return random(text) };
    let Some((body, checksum)) = token.split_at_checked(30) else { return false };
    let mut crc = Crc::new();
    crc.update(body.as_bytes());
    let mut rest = crc.sum();
    checksum.bytes().rev().all(|digit| {
        let wanted = DIGITS[(rest % 62) as usize];
        rest /= 62;
        digit == wanted
    })
}

/// What it is in base64 begins with the first line of a private key.
fn is_private_key(text: &str) -> bool {
    let begins = text.get(..64).and_then(|text| BASE64_STANDARD.decode(text).ok());
    begins.is_some_and(|line| line.windows(11).any(|part| part == b"PRIVATE KEY"))
}

/// The first part is a JSON object that names an algorithm.
fn is_jwt(text: &str) -> bool {
    let header = text.split('.').next().unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.decode(header).is_ok_and(|json| json.windows(5).any(|part| part == b"\"alg\""))
}
